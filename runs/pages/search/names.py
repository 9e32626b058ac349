"""Decides how the search finds names of several kinds at once: the best few of each kind come by one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from orchestrator.listing import ListOf
from runs.pages.search.hits import best_first


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Rows of which some are looked for: those whose ``column`` is nearest to what was typed, with ``more`` columns of each."""

    name: str
    rows: QuerySet[Any]
    column: str
    most: int
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Name:
    """What was found: the name of its kind, its own, and the ``more`` columns of the kind."""

    kind: str
    label: str
    more: Sequence[Any]


def nearest(kinds: Sequence[Kind], text: str) -> dict[str, ListOf]:
    """Return, for ``ask_once``, the names of each kind that are nearest to a text."""
    return {
        _column(kind): ListOf(best_first(kind.rows, kind.column, text)[: kind.most], kind.column, *kind.more) for kind in kinds
    }


def names_of(kinds: Sequence[Kind], answer: Mapping[str, Any]) -> list[Name]:
    """Return the names that ``ask_once`` gave, kind by kind in their order."""
    return [Name(kind.name, label, more) for kind in kinds for label, *more in answer[_column(kind)] or ()]


def _column(kind: Kind) -> str:
    return f"names_of_{kind.name}"
