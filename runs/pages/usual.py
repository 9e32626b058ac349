"""Decides what is usual for a duration, and when one differs from it so much that a page says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil

from runs.models import DagRun
from runs.states import DagRunState

# Fewer say nothing about what is usual.
LEAST = 3
LEAST_SECONDS, LEAST_PERCENT, MOST_PERCENT = 1, 10, 1000


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the least of the ordered values that at least that share of them does not exceed."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def usual(lengths: Iterable[float]) -> float | None:
    """Return the median of durations; None where they are too few."""
    ordered = sorted(lengths)
    return quantile(ordered, 0.5) if len(ordered) >= LEAST else None


def of_successes(runs: Iterable[DagRun]) -> list[float]:
    """Return how long those of some runs took that succeeded, in the order of the runs."""
    return [taken for run in runs if run.state == DagRunState.SUCCESS and (taken := run.duration) is not None]


def deviation(length: float | None, usual: float | None) -> str:
    """Return by how much a duration differs from the usual one, such as ``+38 %``; empty where that says nothing."""
    if length is None or not usual or abs(length - usual) < LEAST_SECONDS:
        return ""
    percent = round(100 * (length / usual - 1))
    if abs(percent) < LEAST_PERCENT:
        return ""
    said = f"{percent:+d} %" if percent < MOST_PERCENT else f"{length / usual:.0f} times"
    return said.replace("-", "\N{MINUS SIGN}")
