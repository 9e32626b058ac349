"""Decides what admin pages of rows that the platform writes have in common: they are looked at, not edited."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html

from accounts.services import masked

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

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.search_help_text = search_help(cls.search_fields)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits a row by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes a row by hand; retention does."""
        return False


class _KnownValues(admin.SimpleListFilter):
    """A filter whose choices are known; asking the table for them would read all of it."""

    template = "admin/closed_filter.html"
    values: Callable[[], Iterable[str]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [(value, value) for value in type(self).values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the rows to the chosen value."""
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


def known_values(field: str, values: Callable[[], Iterable[str]]) -> type[admin.SimpleListFilter]:
    """Make a filter of a field with choices that are known without the table."""
    facts = {"title": field.replace("_", " "), "parameter_name": field, "values": staticmethod(values)}
    return type(f"{field.title()}Filter", (_KnownValues,), facts)


def carry_out(
    request: HttpRequest, rows: QuerySet[Any], change: Callable[[Any], object], *, refusals: tuple[type[Exception], ...]
) -> None:
    """Change each chosen row by a service, in a transaction of its own; say how many, and why others were refused."""
    done, chosen = 0, list(rows)
    for row in chosen:
        try:
            with transaction.atomic():
                change(row)
            done += 1
        except refusals as error:
            messages.warning(request, f"{row}: {error}")
    messages.success(request, f"Done for {done} of {len(chosen)}.")


def search_help(fields: Sequence[str]) -> str:
    """Say what a search looks through: these fields may be searched in parts, those only whole, as their indexes are."""
    words: dict[str, list[str]] = {"": [], "istartswith": [], "iexact": []}
    for name in fields:
        path, _, lookup = name.rpartition("__")
        whole = lookup in words
        words[lookup if whole else ""].append((path if whole else name).rpartition("__")[2].replace("_", " "))
    begins = {"": "Any part of", "istartswith": "The beginning of", "iexact": "The whole"}
    return "; ".join(f"{begins[lookup]} {', '.join(names)}" for lookup, names in words.items() if names)


def flag(name: str, title: str) -> Any:
    """Make an admin column that says yes, and nothing for no: a red cross would look like a fault."""

    @admin.display(description=title, ordering=name)
    def show(model_admin: Any, row: Any) -> str:
        return "yes" if getattr(row, name) else ""

    return show


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
    return _column(title or name.replace("_", " "), lambda row: pretty(getattr(row, name)))


def masked_field(name: str) -> Any:
    """Return an admin column that shows a field as indented JSON, without what its names say are secrets."""
    return _column(name.replace("_", " "), lambda row: pretty(masked(getattr(row, name))))


def _column(title: str, text: Callable[[Any], str]) -> Any:
    @admin.display(description=title)
    def show(model_admin: Any, row: Any) -> str:
        return text(row)

    return show
