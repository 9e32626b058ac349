"""Decides what the tools above a list offer of what is stored: choices of its filters and saved views, all by one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet, Value
from django.http import HttpRequest

from orchestrator.ui.list_fields import Choices, Filter, Stored
from orchestrator.ui.saved_views import views_for

MOST_CHOICES = 200
_VIEWS = "saved views"  # no parameter has a name with a space


@dataclass(frozen=True, slots=True)
class OfferedView:
    """A saved view as a list offers it."""

    name: str
    query: str
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Offers:
    """``choices``: of each filter whose choices are stored, (value, label) pairs."""

    choices: Mapping[str, Choices]
    views: Sequence[OfferedView]


def offers_of(request: HttpRequest, name: str, filters: Sequence[Filter]) -> Offers:
    """Return what the list of this name offers to this person."""
    stored = {item.name: item.choices for item in filters if isinstance(item.choices, Stored)}
    found: dict[str, list[OfferedView]] = {place: [] for place in (*stored, _VIEWS)}
    parts = [_part(_VIEWS, views_for(request, name), "name", address=F("query"), is_for_all=F("is_shared"))]
    parts += [_part(place, choices.rows(), choices.column).distinct() for place, choices in stored.items()]
    for place, *offered in parts[0].union(*parts[1:], all=True).order_by("place", "text"):
        found[place].append(OfferedView(*offered))
    return Offers({place: _choices(choices, found[place]) for place, choices in stored.items()}, found[_VIEWS])


def _part(place: str, rows: QuerySet[Any], column: str, **of_view: F) -> QuerySet[Any]:
    """Return rows as the columns that all parts of the query have; choices have no query and belong to nobody."""
    columns: dict[str, Any] = {"place": Value(place), "text": F(column), "address": Value(""), "is_for_all": Value(False)}
    columns |= of_view
    named: QuerySet[Any] = rows.order_by().annotate(**columns).values_list(*columns)
    return named


def _choices(stored: Stored, found: Sequence[OfferedView]) -> Choices:
    names = stored.names(item.name for item in found)
    return [(name, name) for name in names[:MOST_CHOICES]]
