"""Decides from when a deadline counts: the moments that references mean for a run, and how long after them it is late."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runs.models import DagRun, TaskInstance
from runs.states import DagRunState
from runs.states import TaskInstanceState as S
from vault.selectors import variable_find

Alert = dict[str, Any]

# They are read from rows again at each look, because they come to be, or change, while the run goes on.
ATTEMPT_REFERENCES = frozenset({"TaskQueuedAtDeadline", "TaskStartedAtDeadline"})
LATER_REFERENCES = ATTEMPT_REFERENCES | {"DagRunStartedAtDeadline", "DagRunQueuedAtDeadline"}


def kind_of(alert: Alert) -> str:
    """Return the name of an alert's reference."""
    return str(alert["reference"].get("reference_type", ""))


def is_custom(alert: Alert) -> bool:
    """Return whether the author's own code says from when the deadline counts."""
    return bool(alert["reference"].get("__class_path"))


def reference_moment(alert: Alert, run: DagRun, now: datetime) -> datetime | None:
    """Return what the reference means for a run, None where the run has no such moment (yet).

    Raises ``ValueError``/``KeyError`` for a reference that cannot be read.
    """
    kind, reference = kind_of(alert), alert["reference"]
    if kind == "DagRunLogicalDateDeadline":
        return run.logical_date
    if kind == "DagRunQueuedAtDeadline":
        return run.queued_at
    if kind == "DagRunStartedAtDeadline":
        return run.start_date
    if kind == "FixedDatetimeDeadline":
        return datetime.fromtimestamp(reference["datetime"], UTC)
    if kind == "AverageRuntimeDeadline":
        return _by_average(reference, run, now)
    if kind == "WallClockDeadline":
        return _by_clock(reference, run)
    return None


def interval_of(alert: Alert, run: DagRun, task_id: str) -> timedelta | None:
    """Return how long after the reference it is late; None where the history is too short to say.

    Raises ``ValueError`` for a Variable that does not exist or is no number.
    """
    interval = alert["interval"]
    if isinstance(interval, int | float):
        return timedelta(seconds=interval)
    if "variable" in interval:
        return _of_variable(interval["variable"])
    return _of_history(interval, run.dag_id, task_id)


def _of_variable(key: str) -> timedelta:
    text = variable_find(key)
    if text is None:
        raise ValueError(f"the Variable {key!r}, which holds the interval of a deadline, does not exist")
    try:
        return timedelta(seconds=float(text))
    except ValueError:
        raise ValueError(f"the Variable {key!r} is {text[:50]!r}; as the interval of a deadline it must be seconds") from None


def _of_history(interval: dict[str, Any], dag_id: str, task_id: str) -> timedelta | None:
    past = TaskInstance.objects.filter(dag_id=dag_id, task_id=task_id, state=S.SUCCESS, duration__isnull=False)
    lengths = past.order_by("-end_date").values_list("duration", flat=True)[: interval["max_runs"]]
    found = sorted(float(length or 0) for length in lengths)
    if len(found) < interval["min_runs"]:
        return None
    return timedelta(seconds=percentile(found, interval["percentile"]) * interval["factor"])


def percentile(values: list[float], percent: float) -> float:
    """Return the value below which ``percent`` of the sorted values lie, between two of them in proportion."""
    place = (len(values) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def _by_average(reference: dict[str, Any], run: DagRun, now: datetime) -> datetime | None:
    """Now and the average length of the last successful runs; None where there are fewer than the author asks for."""
    most = int(reference.get("max_runs") or 10)
    least = int(reference.get("min_runs") or most)
    past = DagRun.objects.filter(dag_id=run.dag_id, state=DagRunState.SUCCESS, start_date__isnull=False, end_date__isnull=False)
    times = past.order_by("-logical_date").values_list("start_date", "end_date")[:most]
    lengths = [(end - start).total_seconds() for start, end in times if start and end]
    return now + timedelta(seconds=sum(lengths) / len(lengths)) if len(lengths) >= least else None


def _by_clock(reference: dict[str, Any], run: DagRun) -> datetime:
    zone = ZoneInfo(reference["zone"])
    due = run.run_after.astimezone(zone)
    found = datetime.combine(due.date(), time.fromisoformat(reference["at"]), zone)
    if found < due:
        found = datetime.combine(due.date() + timedelta(days=1), time.fromisoformat(reference["at"]), zone)
    return found.astimezone(UTC)


def fixed_moment(alert: Alert) -> datetime | None:
    """Return the moment that was settled when the deadline was made."""
    return datetime.fromisoformat(alert["moment"]) if alert.get("moment") else None
