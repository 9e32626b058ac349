"""Decides which rows of a table came and which ended since the last look, by its small index of the open ones.

Tables of deliveries, deadlines and tests have no index on the moment of their end; this needs none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from django.db.models import Model

MOST = 5000
Row = dict[str, Any]


class News(NamedTuple):
    """What changed in a table: rows that were not there before, and rows that are open no more, as they are now."""

    came: list[Row]
    ended: list[Row]
    open: list[Row]


class Endings:
    """Follows one table. ``open_states`` are those of its partial index; ``columns`` are what is told of each row.

    It looks at ``MOST`` open rows, the oldest, and tells as many new ones at once; a row that is opened again is told again.
    """

    def __init__(self, model: type[Model], open_states: Collection[str], *columns: str) -> None:
        self._rows = model._default_manager.order_by("pk")
        self._open_states = list(open_states)
        self._columns = ("pk", "state", *columns)
        self._last: Any = self._newest()
        self._open = {row["pk"] for row in self._open_rows()}

    def look(self) -> News:
        """Return what happened since the last look, or since this was made."""
        later = self._rows.all() if self._last is None else self._rows.filter(pk__gt=self._last)
        fresh = list(later.values(*self._columns)[:MOST])
        self._last = fresh[-1]["pk"] if fresh else self._last
        now_open = self._open_rows()
        pks = {row["pk"] for row in now_open}
        over = self._open - pks
        looked_at = [*self._rows.filter(pk__in=over).values(*self._columns), *fresh] if over else fresh
        self._open = pks
        return News(fresh, [row for row in looked_at if row["state"] not in self._open_states], now_open)

    def _open_rows(self) -> list[Row]:
        return list(self._rows.filter(state__in=self._open_states).values(*self._columns)[:MOST])

    def _newest(self) -> Any:
        return self._rows.reverse().values_list("pk", flat=True).first()
