"""Decides what the form of a connection is told about a type: which fields, how they are called, which are secret."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.execution.masking import is_sensitive_name
from vault.connection_types import STANDARD, known_types, type_hint


def form_of_type(name: str) -> dict[str, Any]:
    """Return what the form of a connection type looks like: standard fields, ``extra``, fields within ``extra``, and a note."""
    kind = known_types().get(name)
    if kind is None:
        return {"note": type_hint(name) if name else "", "standard": {}, "fields": []}
    standard = {
        field: {"hidden": field in kind.hidden, "title": kind.titles.get(field), "placeholder": kind.placeholders.get(field)}
        for field in (*STANDARD, "extra")
    }
    secrets = kind.secret_fields()
    fields = [
        {
            "name": field,
            "title": facts.get("label") or field,
            "description": facts.get("description"),
            "placeholder": kind.placeholders.get(field),
            "schema": facts.get("schema") or {},
            "secret": field in secrets or is_sensitive_name(field),
        }
        for field, facts in kind.fields.items()
    ]
    note = f"{kind.title}, of {kind.package}" + (f" ({kind.hook_class})" if kind.hook_class else "")
    return {"note": note, "standard": standard, "fields": fields}
