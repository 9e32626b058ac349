"""Decides how a change in the admin gets into the audit log: one row for each change really made, with both sides of it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.form_audit import form_sides, row_note


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
            sides = form_sides(form, self.secret_fields, is_new=add)
            row = getattr(form, "instance", None) or form.user
            self._note(self.verbs[0 if add else 1], request, row, **sides)
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

    def _note(self, verb: str, request: HttpRequest, row: Any, **sides: Any) -> None:
        row_note(f"{verb}_{self.event_name}", row, actor=request.user.get_username(), **sides)
