"""Decides what admin pages of rows that the platform writes have in common: they are looked at, not edited."""

import json
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html

_LONGEST_SHOWN = 20_000
_COUNT_CAP = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Stops counting at ten thousand rows, so that a list of millions opens at once; filters reach the rest."""

    @cached_property
    def count(self) -> int:
        """Number of rows, at most the cap."""
        rows: Any = self.object_list
        return len(rows.values_list("pk", flat=True)[:_COUNT_CAP])


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows of the platform: visible, searchable, never edited by hand (states change only by transitions)."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits a row by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes a row by hand; retention does."""
        return False


def pretty(value: Any) -> str:
    """Show JSON, or a text that holds JSON, indented; a long one is cut."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return _block(value)
    return "-" if value is None else _block(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def _block(text: str) -> str:
    cut = "" if len(text) <= _LONGEST_SHOWN else f"\n… {len(text) - _LONGEST_SHOWN} characters more"
    return format_html("<pre>{}{}</pre>", text[:_LONGEST_SHOWN], cut)


def pretty_field(name: str, title: str | None = None) -> Any:
    """Return an admin column that shows a field as indented JSON."""

    @admin.display(description=title or name.replace("_", " "))
    def show(model_admin: Any, row: Any) -> str:
        return pretty(getattr(row, name))

    return show
