"""Decides how a change in the admin gets into the audit log: one row for each change really made, with both sides of it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.services import audit_write
from orchestrator.sdk.execution.masking import MASK


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Notes what people add, change and delete.

    ``event_name`` is what the events are about, ``verbs`` how adding, changing and deleting are called, and the values of
    ``secret_fields`` are never written down.
    """

    event_name = ""
    verbs = ("create", "change", "delete")
    secret_fields: tuple[str, ...] = ()

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Note the change once everything is saved, many-to-many fields too."""
        if add or form.changed_data:
            before = None if add else self._side(form.initial, form.changed_data)
            after = self._side(form.cleaned_data, form.changed_data)
            row = getattr(form, "instance", None) or form.user
            self._note(self.verbs[0 if add else 1], request, row, before=before, after=after)
        return super().construct_change_message(request, form, formsets, add)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete, and note what."""
        self._note(self.verbs[2], request, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete several, each with its own row."""
        for row in queryset:
            self._note(self.verbs[2], request, row)
        super().delete_queryset(request, queryset)

    def may_edit(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the page of a row, or of a new one, has inputs for this person."""
        return self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)

    def _side(self, values: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
        return {name: MASK if name in self.secret_fields else _plain(values.get(name)) for name in names}

    def _note(self, verb: str, request: HttpRequest, row: Any, **sides: Any) -> None:
        extra = {"id": row.pk, "name": str(row)}
        audit_write(f"{verb}_{self.event_name}", actor=request.user.get_username(), extra=extra, **sides)


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, str | int | float | bool | type(None)):
        return value
    return sorted(map(str, value)) if hasattr(value, "__iter__") else str(value)
