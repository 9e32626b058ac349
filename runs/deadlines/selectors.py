"""Decides how deadlines are read: upcoming ones with the end that is to be expected, and missed ones (C27-d)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from runs.models import DagRun, Deadline
from runs.states import DagRunState

RUNS_FOR_PREDICTION = 10


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A pending deadline; ``predicted_end`` is when its run should be over, None where the DAG has no history."""

    deadline: Deadline
    predicted_end: datetime | None

    @property
    def is_at_risk(self) -> bool:
        """True where the run should be over too late."""
        return self.predicted_end is not None and self.predicted_end > self.deadline.deadline_time


def deadlines(dag_id: str | None = None, state: str | None = None) -> QuerySet[Deadline]:
    """Return deadlines with their runs and callbacks, the nearest first; missed ones latest first."""
    rows = Deadline.objects.select_related("dag_run", "callback")
    if dag_id is not None:
        rows = rows.filter(dag_id=dag_id)
    if state is not None:
        rows = rows.filter(state=state)
    return rows.order_by("-deadline_time" if state == Deadline.State.MISSED else "deadline_time", "pk")


def upcoming_deadlines(now: datetime, dag_id: str | None = None, limit: int = 100) -> list[Upcoming]:
    """Return the pending deadlines with the predicted end of their runs; two queries."""
    return predict(list(deadlines(dag_id, Deadline.State.PENDING)[:limit]), now)


def predict(rows: Sequence[Deadline], now: datetime) -> list[Upcoming]:
    """Return pending deadlines with the predicted end of their runs; one query at most."""
    lengths = usual_lengths({row.dag_id for row in rows})
    return [Upcoming(row, _predicted(row.dag_run, lengths.get(row.dag_id), now)) for row in rows]


def usual_lengths(dag_ids: Collection[str]) -> dict[str, float]:
    """Return how many seconds the last successful runs of DAGs took on average."""
    past = DagRun.objects.filter(dag_id__in=dag_ids, state=DagRunState.SUCCESS, start_date__isnull=False, end_date__isnull=False)
    rank = Window(RowNumber(), partition_by=F("dag"), order_by=[F("run_after").desc(), F("id").desc()])
    last = past.annotate(rank=rank).filter(rank__lte=RUNS_FOR_PREDICTION) if dag_ids else past.none()
    lengths: dict[str, list[float]] = {}
    for dag_id, start, end in last.values_list("dag_id", "start_date", "end_date"):
        if start is not None and end is not None:
            lengths.setdefault(dag_id, []).append((end - start).total_seconds())
    return {dag_id: sum(some) / len(some) for dag_id, some in lengths.items()}


def _predicted(run: DagRun, seconds: float | None, now: datetime) -> datetime | None:
    if seconds is None:
        return None
    return max((run.start_date or now) + timedelta(seconds=seconds), now)
