"""Decides what one operation or one schema of a recorded contract is in an OpenAPI document; both APIs are written with it."""

from __future__ import annotations

from typing import Any

from orchestrator.rest.openapi.types import schema_of

Json = dict[str, Any]


def operation_of(item: Json) -> Json:
    """Return the entry of an operation, without its security."""
    entry: Json = {
        "tags": item["tags"],
        "operationId": item["operationId"],
        "parameters": [parameter_of(parameter) for parameter in item["params"]],
        "responses": {code: response_of(code, content) for code, content in item["responses"].items()},
    }
    if item.get("body"):
        entry["requestBody"] = {"required": item["body"]["required"], "content": _content(item["body"]["content"])}
    return entry


def parameter_of(item: Json) -> Json:
    """Return one parameter."""
    schema = schema_of(item["type"])
    if "default" in item:
        schema["default"] = item["default"]
    return {"name": item["name"], "in": item["in"], "required": item["required"], "schema": schema}


def response_of(code: str, content: dict[str, str] | None) -> Json:
    """Return one answer; ``content`` gives the type of each media type."""
    said = "Successful" if code.startswith("2") else "Redirect" if code.startswith("3") else "Refused"
    return {"description": said} | ({"content": _content(content)} if content else {})


def _content(types: dict[str, str]) -> Json:
    return {kind: {"schema": schema_of(text)} for kind, text in types.items()}


def component_of(item: Json) -> Json:
    """Return one schema."""
    if "fields" not in item:
        return schema_of(item["type"])
    found: Json = {"type": "object", "properties": {name: _field(field) for name, field in item["fields"].items()}}
    if needed := [name for name, field in item["fields"].items() if field.get("required")]:
        found["required"] = needed
    return found | ({"additionalProperties": False} if item.get("extra") == "forbidden" else {})


def _field(item: Json) -> Json:
    return schema_of(item["type"]) | ({"default": item["default"]} if "default" in item else {})
