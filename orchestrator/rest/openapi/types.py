"""Decides what a type of the contract means as JSON Schema, such as ``null | string(date-time)`` or ``array<#Name>``."""

from __future__ import annotations

import json
from typing import Any

Schema = dict[str, Any]

_OPEN, _CLOSE = "<{[(", ">}])"


def schema_of(text: str) -> Schema:
    """Return the JSON Schema of a type. Raises ``ValueError`` for one that is not of the contract's language."""
    parts = _split(text)
    if len(parts) > 1:
        return {"anyOf": [_single(part) for part in parts]}
    return _single(text)


def _single(text: str) -> Schema:
    if text == "any":
        return {}
    if text.startswith("#"):
        return {"$ref": f"#/components/schemas/{text[1:]}"}
    for word in ("const", "enum"):
        if text.startswith(f"{word}:"):
            return _listed(word, json.loads(text.removeprefix(f"{word}:")))
    if text.startswith("array<"):
        return {"type": "array", "items": schema_of(text[6:-1])}
    if text.startswith("object<"):
        inner = text[7:-1]
        return {"type": "object", "additionalProperties": True if inner == "any" else schema_of(inner)}
    return _scalar(text)


def _listed(word: str, value: Any) -> Schema:
    return {word: value, "type": "string"}


def _scalar(text: str) -> Schema:
    name, brace, limits = text.partition("{")
    name, parenthesis, form = name.partition("(")
    if name not in ("string", "integer", "number", "boolean", "null", "object", "array"):
        raise ValueError(f"{text!r} is no type of the contract")
    found: Schema = {"type": name}
    if parenthesis:
        found["format"] = form.rstrip(")")
    return found | (json.loads(brace + limits) if brace else {})


def _split(text: str) -> list[str]:
    """Return the alternatives of a union; bars inside of brackets and of quoted words belong to them."""
    parts, depth, quoted, start = [], 0, False, 0
    for place, sign in enumerate(text):
        if sign == '"' and text[place - 1] != "\\":
            quoted = not quoted
        elif not quoted and sign in _OPEN:
            depth += 1
        elif not quoted and sign in _CLOSE:
            depth -= 1
        elif not quoted and depth == 0 and text.startswith(" | ", place):
            parts.append(text[start:place])
            start = place + 3
    return [*parts, text[start:]]
