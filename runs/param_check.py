"""Decides whether the configuration of a run fits the params of its DAG."""

from __future__ import annotations

from typing import Any


class ParamsInvalidError(ValueError):
    """A value does not fit its param; the text names the param, the value's fault and the schema."""


def check_params(params: dict[str, dict[str, Any]], conf: dict[str, Any]) -> None:
    """Check the params' defaults overridden by ``conf``.

    Raises:
        ParamsInvalidError: for the first value that its JSON schema refuses, a required one without value included.
    """
    for name, param in params.items():
        schema = param.get("schema") or {}
        if name in conf:
            _check(name, conf[name], schema)
        elif param.get("value") is not None:
            _check(name, param["value"], schema)
        elif schema and not _takes_nothing(schema):
            raise ParamsInvalidError(f"Invalid input for param {name}: No value passed")


def _takes_nothing(schema: dict[str, Any]) -> bool:
    kinds = schema.get("type", [])
    return "type" not in schema or "null" in ([kinds] if isinstance(kinds, str) else kinds)


def _check(name: str, value: Any, schema: dict[str, Any]) -> None:
    if not schema:
        return
    import jsonschema

    try:
        jsonschema.validate(value, schema, format_checker=jsonschema.FormatChecker())
    except jsonschema.ValidationError as error:
        raise ParamsInvalidError(f"Invalid input for param {name}: {error}") from error
    except jsonschema.SchemaError as error:
        raise ParamsInvalidError(f"Param {name} has a schema that is no JSON schema: {error.message}") from error
