"""Decides what one result of the search is, and how a text is split into a prefix and words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.urls import NoReverseMatch, reverse

PREFIXES = {">": "pages and actions", "#": "tags", "@": "owners"}
MOST_WORDS = 6
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Hit:
    """One result. ``state`` where it has one; ``opens`` is ``dialog`` where the link opens a form."""

    kind: str
    icon: str
    label: str
    url: str
    note: str = ""
    state: str | None = None
    opens: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed: the prefix, the words, and the DAG that the page is about on which it was typed."""

    prefix: str
    text: str
    words: tuple[str, ...]
    dag_id: str = ""


def read(text: str, dag_id: str = "") -> Asked:
    """Split what was typed."""
    whole = text.replace("\x00", "").strip()[:LONGEST]
    prefix = whole[:1] if whole[:1] in PREFIXES else ""
    rest = whole[len(prefix) :].strip()
    return Asked(prefix, rest, tuple(rest.split()[:MOST_WORDS]), dag_id.replace("\x00", ""))


def link(route: str, *args: Any) -> str:
    """Return the address of a page, empty where there is no such page."""
    try:
        return reverse(route, args=args)
    except NoReverseMatch:
        return ""


def having(words: tuple[str, ...], *columns: str) -> Q:
    """Every word stands in one of the columns, in any case."""
    return reduce(and_, (_one(word, columns) for word in words), Q())


def _one(word: str, columns: tuple[str, ...]) -> Q:
    found = Q()
    for column in columns:
        found |= Q(**{f"{column}__icontains": word})
    return found


def best_first(rows: QuerySet[Any], column: str, text: str) -> QuerySet[Any]:
    """Order rows: what is the text, what begins with it, what holds it, then the rest."""
    whens = [
        When(**{f"{column}__{how}": text}, then=Value(rank)) for rank, how in enumerate(("iexact", "istartswith", "icontains"))
    ]
    ordered: QuerySet[Any] = rows.annotate(nearness=Case(*whens, default=Value(3), output_field=IntegerField())).order_by(
        "nearness", column
    )
    return ordered
