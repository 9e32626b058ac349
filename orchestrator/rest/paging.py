"""Decides which part of a list one answer holds, by offset or by cursor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from orchestrator.config import conf
from orchestrator.counting import CountOf
from orchestrator.rest import cursors
from orchestrator.rest.ordering import Term
from orchestrator.rest.totals import agreeing, total_of

# Beyond this a cursor page does not count on: the client sees the cap in ``total_entries_limit`` (C07-c).
COUNT_CAP = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list and where the list goes on."""

    rows: Sequence[Any]
    total: int
    total_limit: int | None = None
    next_cursor: str | None = None
    previous_cursor: str | None = None


def page_limit(asked: int | None) -> int:
    """Return how many rows an answer holds; more than the maximum is cut in silence, as in Airflow."""
    limit = conf.get("api", "fallback_page_limit") if asked is None else asked
    return int(min(limit, conf.get("api", "maximum_page_limit")))


def page(rows: QuerySet[Any], terms: list[Term], values: Mapping[str, Any], *, are_few: bool = False) -> Page:
    """Return the page that ``limit`` with ``offset`` or ``cursor`` asks for.

    ``are_few``: there are never so many rows that to count all of them costs much; then one query gives the page and the total.
    """
    limit = page_limit(values.get("limit"))
    if values.get("cursor") is not None:
        return _cursor_page(rows, terms, values["cursor"], limit)
    ordered = rows.order_by(*(term.expression() for term in terms))
    offset = values.get("offset") or 0
    if are_few and limit:
        return _counted_page(rows, ordered, offset, limit)
    total = total_of(rows, COUNT_CAP)
    found = list(ordered[offset : offset + limit]) if limit else []
    return Page(found, agreeing(total, COUNT_CAP, offset, len(found), limit))


def _counted_page(rows: QuerySet[Any], ordered: QuerySet[Any], offset: int, limit: int) -> Page:
    """Let each row carry the total; where an offset leads behind the last row, nothing carries it."""
    found = list(ordered.annotate(number_of_all=CountOf(rows))[offset : offset + limit])
    if not found and offset:
        return Page([], rows.order_by().count())
    return Page(found, found[0].number_of_all if found else 0)


def _cursor_page(rows: QuerySet[Any], terms: list[Term], cursor: str, limit: int) -> Page:
    every = rows
    backward, position = cursors.read(cursor)
    if position is not None:
        rows = rows.filter(cursors.after(terms, position, backward, rows.model))
    ordered = rows.order_by(*(term.expression(reverse=backward) for term in terms))
    found = list(ordered[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    if backward:
        found.reverse()
    is_all = position is None and not more  # Counting would go through the rows once more, to find the same.
    total = len(found) if is_all else every.order_by().values("pk")[:COUNT_CAP].count()
    has_next, has_previous = (True, more) if backward else (more, position is not None)
    return Page(
        found,
        total,
        COUNT_CAP,
        cursors.write(terms, found[-1]) if found and has_next else None,
        cursors.write(terms, found[0], backward=True) if found and has_previous else None,
    )
