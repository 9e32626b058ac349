"""Decides how a list page becomes a CSV file: the rows that match, in the page's order, streamed, up to a stated number."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from accounts.reach import Scope, current_scope, reaching
from orchestrator.ui.lists import Attach, ListSpec, read_values

MOST_ROWS = 100_000
AT_ONCE = 500
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file for the csv writer that gives each line back."""

    def write(self, line: str) -> str:
        return line


def csv_response(
    request: HttpRequest, spec: ListSpec, rows: QuerySet[Any], attach: Attach | None = None
) -> StreamingHttpResponse:
    """Return the rows as a file. Raises ``RestError`` for a wrong address."""
    values = read_values(spec, request.GET)
    order = [term.expression() for term in spec.order.terms(values.get("order_by"))]
    chosen = spec.narrow(rows, values)
    spec.check_order(chosen, request.GET)
    found = chosen.order_by(*order)[:MOST_ROWS]
    response = StreamingHttpResponse(_lines(spec, found, attach, current_scope()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{spec.name}.csv"'
    return response


def _lines(spec: ListSpec, rows: QuerySet[Any], attach: Attach | None, scope: Scope | None) -> Iterator[str]:
    """Yield the lines; they are made when the page's own scope is closed, so each part of them opens it again."""
    writer = csv.writer(_Line())
    yield writer.writerow([column.label for column in spec.columns])
    left = rows.iterator(chunk_size=AT_ONCE)
    while True:
        with reaching(scope):
            some = list(islice(left, AT_ONCE))
            if attach is not None and some:
                attach(some)
            lines = [writer.writerow([_cell(column.text_of(row)) for column in spec.columns]) for row in some]
        if not lines:
            return
        yield from lines


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text
