"""Decides whether the params of a DAG have usable schemas and defaults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = Any


def param_problems(params: dict[str, Json], *, needs_defaults: bool) -> Iterator[str]:
    """Yield one sentence per fault; ``needs_defaults`` asks for a valid default of each param."""
    for name, param in params.items():
        schema = param.get("schema") if isinstance(param, dict) else None
        if schema:
            yield from _check(name, param, schema, needs_defaults)


def _check(name: str, param: dict[str, Json], schema: dict[str, Json], needs_defaults: bool) -> Iterator[str]:
    # Imported here: it costs 0.2 s and most DAGs have no schema.
    import jsonschema
    from jsonschema.validators import validator_for

    kind = validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        yield f"the param {name!r} has an invalid JSON schema: {error.message}"
        return
    if not needs_defaults:
        return
    fault = next(iter(kind(schema, format_checker=kind.FORMAT_CHECKER).iter_errors(param.get("value"))), None)
    if fault is not None:
        yield f"a DAG with a schedule needs a valid default for each param; {name!r} has {param.get('value')!r}: {fault.message}"
