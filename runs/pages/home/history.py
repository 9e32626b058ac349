"""Decides what is shown of how the last hours went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncHour, TruncMinute

from orchestrator.templatetags.shown import zone_of, zoned
from runs.models import DagRun

HEIGHT = 56
STEP = 100.0
# word -> (length, buckets, what the database rounds down to)
SPANS: dict[str, tuple[timedelta, int, Callable[..., Any]]] = {
    "1h": (timedelta(hours=1), 12, TruncMinute),
    "12h": (timedelta(hours=12), 24, TruncMinute),
    "24h": (timedelta(hours=24), 24, TruncHour),
    "7d": (timedelta(days=7), 28, TruncHour),
}
USUAL_SPAN = "24h"
_STATES = (("failed", "failed"), ("running", "running"), ("queued", "waiting"), ("success", "ok"))


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a column of the history, in pixels from the top."""

    family: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """The runs that were due in one part of the span; ``x`` in per cent."""

    x: float
    width: float
    pieces: list[Piece]
    title: str


@dataclass(frozen=True, slots=True)
class History:
    """The runs of the last hours."""

    span: str
    columns: list[Column]
    totals: list[tuple[str, int]]
    begin: datetime
    end: datetime

    @property
    def total(self) -> int:
        """How many runs there were."""
        return sum(number for _, number in self.totals)


def history(now: datetime, span: str) -> History:
    """Return how many runs that were due in the last hours ended how."""
    length, buckets, trunc = SPANS[span]
    begin, width = now - length, length / buckets
    counts: list[Counter[str]] = [Counter() for _ in range(buckets)]
    rows = DagRun.objects.filter(run_after__gt=begin, run_after__lte=now).annotate(at=trunc("run_after")).order_by()
    for at, state, number in rows.values_list("at", "state").annotate(number=Count("pk")):
        counts[min(max(0, int((at - begin) / width)), buckets - 1)][state] += number
    highest = max((sum(count.values()) for count in counts), default=0)
    columns = [_column(place, count, highest, begin + width * place, width, buckets) for place, count in enumerate(counts)]
    sums: Counter[str] = sum(counts, Counter())
    return History(span, columns, [(state, sums[state]) for state, _ in _STATES if sums[state]], begin, now)


def _column(place: int, count: Counter[str], highest: int, begin: datetime, width: timedelta, buckets: int) -> Column:
    pieces, bottom = [], float(HEIGHT)
    for state, family in reversed(_STATES):
        if count[state]:
            height = max(2.0, HEIGHT * count[state] / highest)
            bottom -= height
            pieces.append(Piece(family, round(max(0.0, bottom), 1), round(height, 1)))
    start, end = zoned(begin), zoned(begin + width)
    said = ", ".join(f"{count[state]} {state}" for state, _ in _STATES if count[state]) or "no run"
    title = f"{start:%b %d %H:%M} to {end:%H:%M} {zone_of(end)}: {said}"
    return Column(round(place * STEP / buckets, 3), round(STEP / buckets * 0.86, 3), pieces, title)
