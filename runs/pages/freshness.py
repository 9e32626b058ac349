"""Decides whether an asset is as fresh as it usually is: the age of its last event against the usual time between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from orchestrator.kernel.clock import utcnow
from runs.models import AssetEvent

LOOKED_AT = 60
# Below this nobody knows what is usual.
LEAST_GAPS = 3
# Events that come together, as from one run, count as one: what is closer than this part of the mean.
TOGETHER = 0.05
WIDTH = 1000
LATE, OVERDUE = 1.5, 3.0


@dataclass(frozen=True, slots=True)
class Tick:
    """An event on the strip: where, and whether it came later than usual after the one before."""

    at: datetime
    x: float
    gap: float | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class Freshness:
    """The newest events, oldest first. ``usual`` is the median of the seconds between two, None where too few are known."""

    ticks: list[Tick]
    age: float | None
    usual: float | None

    @property
    def verdict(self) -> str:
        """``fresh``, ``late``, ``overdue``; empty where nothing can be said."""
        if self.usual is None or self.age is None:
            return ""
        ratio = self.age / self.usual
        return "fresh" if ratio <= LATE else "late" if ratio <= OVERDUE else "overdue"

    @property
    def since(self) -> datetime | None:
        """When the strip begins."""
        return self.ticks[0].at if self.ticks else None


def freshness_of(asset_id: int) -> Freshness:
    """Look at the newest events of an asset; one query over an index."""
    rows = AssetEvent.objects.filter(asset=asset_id).order_by("-timestamp", "-pk")
    return freshness(sorted(rows.values_list("timestamp", flat=True)[:LOOKED_AT]), utcnow())


def freshness(times: Sequence[datetime], now: datetime) -> Freshness:
    """Return how fresh something is that changed at these times, oldest first."""
    if not times:
        return Freshness([], None, None)
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    usual = _usual(gaps)
    whole = max((now - times[0]).total_seconds(), 1.0)
    ticks = [
        Tick(at, round((at - times[0]).total_seconds() / whole * WIDTH, 1), gap, bool(usual and gap and gap > LATE * usual))
        for at, gap in zip(times, [None, *gaps], strict=True)
    ]
    return Freshness(ticks, (now - times[-1]).total_seconds(), usual)


def _usual(gaps: Sequence[float]) -> float | None:
    """Return the median of the seconds between two events, those that come together left out."""
    apart = [gap for gap in gaps if gap > TOGETHER * sum(gaps) / len(gaps)]
    return median(apart) if len(apart) >= LEAST_GAPS else None
