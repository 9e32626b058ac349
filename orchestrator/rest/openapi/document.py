"""Decides the OpenAPI document: Airflow's contract for its operations, the code's own tables for those beside it (ADR 0014)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.rest.openapi.parts import component_of, operation_of, response_of
from orchestrator.rest.operations import Operation, Operations
from orchestrator.version import VERSION

PREFIX = "/api/v2"
SECURITY: list[dict[str, list[str]]] = [{"HTTPBearer": []}, {"OAuth2PasswordBearer": []}]
_SCHEMES = {
    "HTTPBearer": {"type": "http", "scheme": "bearer"},
    "OAuth2PasswordBearer": {"type": "oauth2", "flows": {"password": {"scopes": {}, "tokenUrl": "/auth/token"}}},
}
_ERRORS = dict.fromkeys(("401", "403", "404"), "HTTPExceptionResponse") | {"422": "HTTPValidationError"}


def document(modules: Iterable[Operations]) -> dict[str, Any]:
    """Return the document for the operations of these modules."""
    contract = _contract()
    recorded = {(item["method"], item["path"]): item for item in contract["operations"]}
    paths: dict[str, dict[str, Any]] = {}
    for module in modules:
        for operation in module.items:
            path = PREFIX + operation.path.replace(":path", "")
            item = recorded.get((operation.method, path))
            entry = _of_contract(item) if item else _of_code(operation, module.tag)
            paths.setdefault(path, {})[operation.method.lower()] = entry | _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Airflow API", "version": "2", "description": f"Airflow's REST API, served by Orchestrator {VERSION}."},
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {"schemas": _schemas(contract["schemas"]), "securitySchemes": _SCHEMES},
    }


@cache
def _contract() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / "contract.json").read_text(encoding="utf-8"))
    return found


def _of_contract(item: dict[str, Any]) -> dict[str, Any]:
    return operation_of(item) if item.get("public") else operation_of(item) | {"security": SECURITY}


def _of_code(operation: Operation, tag: str) -> dict[str, Any]:
    """Describe an operation beside the contract by what its table says."""
    names = [part.strip("{}").partition(":")[0] for part in operation.path.split("/") if part.startswith("{")]
    given: list[dict[str, Any]] = [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]
    for parameter in operation.params.items:
        text: dict[str, Any] = {"type": "string"}
        schema = {"type": "array", "items": text} if parameter.many else text
        given.append({"name": parameter.name, "in": "query", "required": False, "schema": schema})
    answers: dict[str, Any] = {str(operation.status): response_of(str(operation.status), {"application/json": "any"})}
    answers |= {code: response_of(code, {"application/json": f"#{name}"}) for code, name in _ERRORS.items()}
    entry = {
        "tags": [tag],
        "operationId": operation.operation_id,
        "parameters": given,
        "responses": answers,
        "security": SECURITY,
    }
    if operation.body is not None:
        needed = [name for name, field in operation.body.fields.items() if field.required]
        schema = {"type": "object", "properties": {name: {} for name in operation.body.fields}, "required": needed}
        entry["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return entry


def _described(operation: Operation) -> dict[str, str]:
    return {"summary": (operation.handler.__doc__ or operation.operation_id).strip().splitlines()[0]}


def _schemas(contract: dict[str, Any]) -> dict[str, Any]:
    return {name: component_of(item) for name, item in contract.items()}
