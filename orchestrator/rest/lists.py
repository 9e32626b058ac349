"""Decides the body of a list answer: rows under their name, the total, and cursors where the operation has them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from orchestrator.rest.ordering import Ordering
from orchestrator.rest.paging import Page, page
from orchestrator.rest.params import Params
from orchestrator.rest.schemas import Schema

Attach = Callable[[Sequence[Any]], None]


def list_body(
    rows: QuerySet[Any],
    query: Mapping[str, Any],
    *,
    params: Params,
    order: Ordering,
    schema: Schema,
    key: str,
    attach: Attach | None = None,
    cursor: bool = False,
) -> dict[str, Any]:
    """Filter, order, cut and write rows; ``attach`` loads for the page what the rows do not carry themselves."""
    found = page(params.narrow(rows, query), order.terms(query.get("order_by")), query)
    if attach is not None:
        attach(found.rows)
    body = {key: [schema.of(row) for row in found.rows], "total_entries": found.total}
    return body | _cursors(found) if cursor else body


def _cursors(found: Page) -> dict[str, Any]:
    return {
        "next_cursor": found.next_cursor,
        "previous_cursor": found.previous_cursor,
        "total_entries_limit": found.total_limit,
    }
