"""Decides how long after its reference a deadline lies: a fixed time, a Variable's, or what a task usually takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True)
class VariableInterval:
    """An interval that a Variable holds, in seconds."""

    key: str

    def resolve(self) -> timedelta:
        """Return the interval; raises ``ValueError`` if the Variable is no number."""
        from orchestrator.sdk.definitions.variable import Variable

        return timedelta(seconds=float(Variable.get(self.key)))


@dataclass(frozen=True)
class HistoryInterval:
    """How long a task usually takes: a percentile of its last successful attempts, times a factor. Tasks only.

    Args:
        percentile: from 1 to 100.
        factor: what the percentile is multiplied with.
        min_runs: with fewer successful attempts than these there is no deadline.
        max_runs: how many of the last attempts count.
    """

    percentile: float = 95.0
    factor: float = 1.5
    min_runs: int = 5
    max_runs: int = 50

    def __post_init__(self) -> None:
        if not 1 <= self.percentile <= 100 or self.factor <= 0 or not 1 <= self.min_runs <= self.max_runs:
            raise ValueError(f"{self} makes no sense: percentile 1 to 100, factor above 0, 1 <= min_runs <= max_runs")


def interval_document(value: Any) -> Any:
    """Return an interval in seconds, as the key of a Variable, or as a share of the task's history."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, HistoryInterval):
        return {"percentile": value.percentile, "factor": value.factor, "min_runs": value.min_runs, "max_runs": value.max_runs}
    if hasattr(value, "key"):
        return {"variable": value.key}
    raise TypeError(f"interval of a DeadlineAlert must be a timedelta or a VariableInterval, not {type(value).__name__}")
