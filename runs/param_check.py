"""Decides whether the configuration of a run fits the params of its DAG."""

from __future__ import annotations

from collections.abc import Mapping
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
        elif schema and not takes_nothing(schema):
            raise ParamsInvalidError(f"Invalid input for param {name}: No value passed")


def takes_nothing(schema: Mapping[str, Any]) -> bool:
    """Return whether a param may be left without a value."""
    kinds = schema.get("type", [])
    return "type" not in schema or "null" in ([kinds] if isinstance(kinds, str) else kinds)


def _check(name: str, value: Any, schema: dict[str, Any]) -> None:
    if not schema:
        return
    import jsonschema

    try:
        jsonschema.validate(value, _in_shown_order(schema), format_checker=jsonschema.FormatChecker())
    except jsonschema.ValidationError as error:
        raise ParamsInvalidError(f"Invalid input for param {name}: {error}") from error
    except jsonschema.SchemaError as error:
        raise ParamsInvalidError(f"Param {name} has a schema that is no JSON schema: {error.message}") from error


def _in_shown_order(schema: Any) -> Any:
    """Return a schema as the text of a refusal shows it: shorter keys first, as in Airflow, which stores it so."""
    if isinstance(schema, list):
        return [_in_shown_order(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _in_shown_order(schema[key]) for key in sorted(schema, key=lambda key: (len(key), key))}
