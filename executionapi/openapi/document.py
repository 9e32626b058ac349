"""Decides the OpenAPI document of one version of the Execution API: operations by routing, their form by Airflow's contract."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from executionapi.calls import Operation
from executionapi.routing import operations
from executionapi.versions import HEAD, HEADER, VERSIONS
from orchestrator.rest.openapi.parts import component_of, operation_of

Json = dict[str, Any]

_SECURITY: Final[list[dict[str, list[str]]]] = [{"JWTBearer": []}]


@cache
def document(version: str = HEAD) -> Json:
    """Return the document of a version. Raises ``KeyError`` for what is no version."""
    if version not in VERSIONS:
        raise KeyError(version)
    recorded = {(item["method"], item["path"]): item for item in _contract()["operations"]}
    paths: dict[str, Json] = {}
    for operation in operations():
        if operation.since <= version < operation.until:
            path = "/" + operation.path.replace(":path", "")
            item = recorded.get((operation.method, path)) or _addition(operation, path)
            paths.setdefault(path, {})[operation.method.lower()] = _entry(item, operation, version)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Task Execution API", "version": version, "description": "What workers read, write and report."},
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {"schemas": _schemas(version), "securitySchemes": {"JWTBearer": {"type": "http", "scheme": "bearer"}}},
    }


@cache
def _contract() -> Json:
    found: Json = json.loads((Path(__file__).parent / "contract.json").read_text(encoding="utf-8"))
    return found


def _entry(item: Json, operation: Operation, version: str) -> Json:
    header = {"in": "header", "name": HEADER, "required": False, "type": "string(date)", "default": version}
    entry = operation_of(item | {"params": [*item["params"], header]})
    return entry if operation.public else entry | {"security": _SECURITY}


def _addition(operation: Operation, path: str) -> Json:
    """Describe an operation beside Airflow's; its own refusals say what a wrong body lacks."""
    names = re.findall(r"\{(\w+)\}", path)
    refused = {"application/json": "#HTTPExceptionResponse"}
    return {
        "tags": ["Additions"],
        "operationId": f"{operation.method.lower()}_{'_'.join(re.findall('[a-z]+', path))}",
        "params": [{"in": "path", "name": name, "required": True, "type": "string"} for name in names],
        "responses": {"204": None, "409": refused, "422": {"application/json": "#HTTPValidationError"}},
        "body": {"content": {"application/json": "object<any>"}, "required": True},
    }


def _schemas(version: str) -> Json:
    """Return the schemas that the version knows, each with the fields that it knows, in the form that they have there."""
    found = {}
    for name, item in _contract()["schemas"].items():
        if not _known(item, version):
            continue
        if "fields" in item:
            item = item | {
                "fields": {key: _then(field, version) for key, field in item["fields"].items() if _known(field, version)}
            }
        found[name] = component_of(item)
    return found


def _known(item: Json, version: str) -> bool:
    return bool(item.get("since", "") <= version < item.get("until", "9999"))


def _then(field: Json, version: str) -> Json:
    older = [kind for changed, kind in field.get("before", {}).items() if version < changed]
    return field | {"type": older[0]} if older else field
