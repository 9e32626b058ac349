"""Decides what the audit log keeps of a form that changed a row: both sides of what changed, secrets never."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Model

from accounts.services import audit_write
from orchestrator.sdk.execution.masking import MASK


def form_sides(form: Any, secret_fields: Collection[str], *, is_new: bool) -> dict[str, Any]:
    """Return ``before`` and ``after`` of the fields that a form changed."""
    names = list(form.changed_data)
    before = None if is_new else side(form.initial, names, secret_fields)
    return {"before": before, "after": side(form.cleaned_data, names, secret_fields)}


def side(values: dict[str, Any], names: Iterable[str], secret_fields: Collection[str]) -> dict[str, Any]:
    """Return the values of some fields as the audit log may have them."""
    return {name: MASK if name in secret_fields else _plain(values.get(name)) for name in names}


def row_note(event: str, row: Any, *, actor: str, **sides: Any) -> None:
    """Write down what happened to a row."""
    audit_write(event, actor=actor, extra={"id": row.pk, "name": str(row)}, **sides)


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, str | int | float | bool | type(None)):
        return value
    return sorted(map(str, value)) if hasattr(value, "__iter__") else str(value)
