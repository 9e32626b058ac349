"""Decides what a list page is: filters and orders of the REST API, columns, chips, pages, and the same rows as CSV.

A list page takes the parameters of the REST list of the same thing, so what a person sees is what a program would get, and
an address can be shared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from orchestrator.rest.errors import InvalidError, RestError
from orchestrator.rest.ordering import Ordering
from orchestrator.rest.paging import COUNT_CAP, Page, page
from orchestrator.rest.params import Params
from orchestrator.ui.list_addresses import Quick, changed, quick_of, without, without_empty
from orchestrator.ui.list_fields import Filter, FormField, fields_of, single
from orchestrator.ui.list_offers import OfferedView, offers_of
from orchestrator.ui.preferences import preferences_of

__all__ = ["Attach", "Chip", "Column", "Filter", "ListSpec", "ListView", "changed", "chips_of", "list_view"]
__all__ += ["read_values", "without_empty"]

PAGE_SIZES = (25, 50, 100)
NO_FILTER = frozenset({"limit", "offset", "cursor", "order_by", "format"})
Attach = Callable[[Sequence[Any]], None]
_ARROWS = (("", "↑"), ("-", "↓"))


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    ``order``: its name in the ordering; ``text``: what CSV has for a row, from a path by default; ``hidden``: until chosen.
    ``is_costly``: no index has this order, so that it is offered only where the rows are few.
    """

    name: str
    label: str
    order: str = ""
    number: bool = False
    text: Callable[[Any], Any] | None = None
    hidden: bool = False
    is_costly: bool = False

    def text_of(self, row: Any) -> Any:
        """Return the value of a row for CSV."""
        return self.text(row) if self.text else getattr(row, self.name)


@dataclass(frozen=True, slots=True)
class ListSpec:
    """A list page: ``name`` is where preferences and saved views are kept, ``params`` and ``order`` are the REST list's.

    ``also`` narrows by what single parameters cannot, with all their values at hand. ``is_table`` False: columns are those of
    CSV only. ``quick_states``: values of ``state`` that have a link of their own. ``are_few``: to count all of them costs little.
    """

    name: str
    params: Params
    order: Ordering
    columns: Sequence[Column]
    filters: Sequence[Filter] = ()
    default_order: tuple[str, ...] = ()
    keyset: bool = False
    noun: str = "row"
    is_table: bool = True
    quick_states: tuple[str, ...] = ()
    also: Callable[[QuerySet[Any], Mapping[str, Any]], QuerySet[Any]] | None = None
    are_few: bool = False

    def narrow(self, rows: QuerySet[Any], values: Mapping[str, Any]) -> QuerySet[Any]:
        """Return the rows that pass every filter. Raises ``RestError``."""
        found = self.params.narrow(rows, values)
        return self.also(found, values) if self.also is not None else found

    def check_order(self, rows: QuerySet[Any], query: QueryDict) -> None:
        """Refuse to sort very many rows without an index. Raises ``RestError``."""
        asked = {name.removeprefix("-") for name in query.getlist("order_by")}
        costly = [column.label for column in self.columns if column.is_costly and column.order in asked]
        if costly and rows.order_by().values("pk")[:COUNT_CAP].count() >= COUNT_CAP:
            raise RestError(400, f"These are too many to order them by {costly[0]}: filter by a DAG, a state or a time first.")


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, and the address without it."""

    label: str
    value: str
    url: str


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: the address that orders by it, and the present direction (``ascending``, ``descending``, none)."""

    column: Column
    url: str
    direction: str


@dataclass(frozen=True, slots=True)
class ListView:
    """Everything that the template of a list shows."""

    spec: ListSpec
    rows: Sequence[Any]
    total: int
    total_limit: int | None
    heads: list[Head]
    chips: list[Chip]
    fields: list[FormField]
    next_url: str
    previous_url: str
    query: str
    error: str = ""
    hidden: frozenset[str] = field(default=frozenset())
    limit: int = 0
    saved_views: Sequence[OfferedView] = ()

    @property
    def shown_total(self) -> str:
        """The total, or ``10,000+`` where counting on would cost more than the page."""
        return f"{self.total_limit:,}+" if _is_cut(self) else f"{self.total:,}"

    @property
    def is_filtered(self) -> bool:
        """True where a filter is on."""
        return bool(self.chips)

    def shows(self, name: str) -> bool:
        """Return whether there is such a column and it is shown."""
        return any(head.column.name == name for head in self.heads)

    @property
    def choices(self) -> list[tuple[Column, bool]]:
        """All columns, each with whether it is shown."""
        return [(column, self.shows(column.name)) for column in self.spec.columns]

    @property
    def orders(self) -> list[tuple[str, str]]:
        """(value, words) for a select: heads of columns cannot be had on a phone."""
        is_cut = _is_cut(self)
        known = {item.order: item.label for item in self.spec.columns if item.order and not (item.is_costly and is_cut)}
        return [(f"{sign}{name}", f"{label} {arrow}") for name, label in known.items() for sign, arrow in _ARROWS]

    @property
    def quick(self) -> list[Quick]:
        """Links that turn a state on or off."""
        return [quick_of(state, QueryDict(self.query)) for state in self.spec.quick_states]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """(name, value) of what the address has and the form has no field for."""
        own = single(self.spec.filters).keys() | {"offset", "cursor", "format", "order_by"}
        return [(name, value) for name, values in QueryDict(self.query).lists() if name not in own for value in values if value]

    @property
    def has_turns(self) -> bool:
        """True where there is another page."""
        return bool(self.next_url or self.previous_url)

    @property
    def sizes(self) -> list[tuple[int, str]]:
        """(number, address) for rows on a page."""
        return [(size, changed(QueryDict(self.query), ("offset", "cursor"), limit=size)) for size in PAGE_SIZES]

    @property
    def first_url(self) -> str:
        """The address of the first page."""
        return changed(QueryDict(self.query), ("offset", "cursor"))


def list_view(request: HttpRequest, spec: ListSpec, rows: QuerySet[Any], attach: Attach | None = None) -> ListView:
    """Filter, order and cut rows by the address; what is wrong with the address is said above an empty list."""
    query, error = request.GET, ""
    try:
        values = read_values(spec, query)
        chosen, terms = spec.narrow(rows, values), spec.order.terms(values.get("order_by"))
        spec.check_order(chosen, query)
        found = page(chosen, terms, values, are_few=spec.are_few)
    except (RestError, InvalidError) as refusal:
        values, found, error = {}, Page([], 0), refusal_text(refusal, spec)
    if attach is not None:
        attach(found.rows)
    hidden, offers = hidden_columns(request, spec), offers_of(request, spec.name, spec.filters)
    next_url, previous_url = _turns(spec, query, values, found)
    return ListView(
        spec, found.rows, found.total, found.total_limit, _heads(spec, query, hidden, found), chips_of(spec, query),
        fields_of(spec.filters, query, offers.choices), next_url, previous_url, query.urlencode(), error, hidden,
        values.get("limit") or 0, offers.views,
    )  # fmt: skip


def hidden_columns(request: HttpRequest, spec: ListSpec) -> frozenset[str]:
    """Return the names of the columns that the person does not want to see."""
    chosen = preferences_of(request).columns.get(spec.name)
    return frozenset(column.name for column in spec.columns if column.hidden) if chosen is None else frozenset(chosen)


def read_values(spec: ListSpec, query: QueryDict) -> dict[str, Any]:
    """Return the values of the parameters; an empty field of a form counts as not given. Raises ``RestError``."""
    values = spec.params.read(without_empty(query))
    if values.get("limit") is None:
        values["limit"] = PAGE_SIZES[1]
    if spec.keyset and values.get("cursor") is None:
        values["cursor"] = ""
    if not values.get("order_by") and spec.default_order:
        values["order_by"] = list(spec.default_order)
    return values


def refusal_text(refusal: RestError, spec: ListSpec) -> str:
    """Return one sentence for what was wrong with an address."""
    if not isinstance(refusal.detail, list):
        return str(refusal.detail)
    known = single(spec.filters)
    named = ((known[name].label if (name := str(item["loc"][1])) in known else name, item["msg"]) for item in refusal.detail)
    return "; ".join(f"{label}: {message}" for label, message in named)


def _heads(spec: ListSpec, query: QueryDict, hidden: frozenset[str], found: Page) -> list[Head]:
    present, is_cut = _order(spec, query), _is_cut(found)
    shown = [column for column in spec.columns if column.name not in hidden]
    return [Head(column, "", "") if column.is_costly and is_cut else _head(column, query, present) for column in shown]


def _is_cut(found: Page | ListView) -> bool:
    """Return whether there are more rows than are counted."""
    return found.total_limit is not None and found.total >= found.total_limit


def _head(column: Column, query: QueryDict, present: str) -> Head:
    if not column.order:
        return Head(column, "", "")
    is_present = present.removeprefix("-") == column.order
    direction = ("descending" if present.startswith("-") else "ascending") if is_present else ""
    target = column.order if direction == "descending" else f"-{column.order}"
    return Head(column, changed(query, ("offset", "cursor"), order_by=target), direction)


def _order(spec: ListSpec, query: QueryDict) -> str:
    return (query.getlist("order_by") or list(spec.default_order) or [""])[0]


def chips_of(spec: ListSpec, query: QueryDict, *, only_known: bool = True) -> list[Chip]:
    """Return the filters of an address in words; all of its parameters, where it is known that they are filters."""
    known = single(spec.filters)
    names = {param.name for param in spec.params.items if param.apply is not None} | known.keys()
    return [
        _chip(known.get(name) or Filter(name, name.replace("_", " ")), value, query)
        for name, values in query.lists()
        if (name in names or not only_known) and name not in NO_FILTER
        for value in values
        if value
    ]


def _chip(item: Filter, value: str, query: QueryDict) -> Chip:
    return Chip(item.label, item.text_of(value), without(query, item.name, value))


def _turns(spec: ListSpec, query: QueryDict, values: Mapping[str, Any], found: Page) -> tuple[str, str]:
    if spec.keyset:
        forward = changed(query, cursor=found.next_cursor) if found.next_cursor else ""
        return forward, changed(query, cursor=found.previous_cursor) if found.previous_cursor else ""
    offset, limit = values.get("offset") or 0, values.get("limit") or 0
    forward = changed(query, offset=offset + limit) if offset + len(found.rows) < found.total and found.rows else ""
    return forward, changed(query, offset=max(0, offset - limit)) if offset else ""
