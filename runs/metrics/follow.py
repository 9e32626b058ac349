"""Decides what is counted of each change of state: read from the log of changes, so that no change pays for being counted.

One scheduler follows the log for all processes: starts and ends that workers report anywhere are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Min

from orchestrator.kernel.telemetry import Series
from orchestrator.processes.selectors import processes_alive
from runs.metrics.counted import Facts, count_attempt, count_run
from runs.metrics.parts import PartsFollower
from runs.models import DagRun, StateChange, TaskInstance, TaskInstanceHistory
from runs.states import DAG_RUN_FINISHED

# A change is visible only when its transaction ends, so the log is read up to a moment ago.
LAG_SECONDS = 2.0
PAGE = 2000
PAGES = 20
_COLUMNS = ("pk", "operator", "start_date", "end_date", "duration", "queued_dttm", "scheduled_dttm", "queue", "try_number")
Heard = Callable[[Sequence[StateChange], dict[UUID, Facts]], None]


class Follower:
    """Counts what happened since it was made; ``hear`` are told of the same changes, with what is known of the attempts."""

    def __init__(self, process_id: UUID, hear: Iterable[Heard] = ()) -> None:
        self._process_id = process_id
        self._hear = tuple(hear)
        self._last: int | None = None
        self._parts: PartsFollower | None = None

    @property
    def leads(self) -> bool:
        """Return whether this scheduler counts for all."""
        return self._last is not None

    def follow(self, now: datetime) -> int:
        """Count the changes since the last time; 0 where another scheduler does."""
        leader = processes_alive("scheduler", now).order_by("started_at", "pk").first()
        if leader is None or leader.pk != self._process_id:
            self._last = self._parts = None
            return 0
        if self._last is None or self._parts is None:
            self._last = StateChange.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            self._parts = PartsFollower(now - timedelta(seconds=LAG_SECONDS))
            return 0
        until = now - timedelta(seconds=LAG_SECONDS)
        self._parts.follow(until)
        return self._count_changes(until)

    def gauges(self) -> dict[Series, float]:
        """Return the gauges that are known from counting."""
        return self._parts.gauges() if self._parts is not None else {}

    def _count_changes(self, until: datetime) -> int:
        done = 0
        for _ in range(PAGES):
            log = StateChange.objects.filter(pk__gt=self._last, at__lte=until).order_by("pk")
            changes = list(log.select_related("dag_run")[:PAGE])
            if not changes:
                break
            self._last = changes[-1].pk
            self._count_page(changes)
            done += len(changes)
            if len(changes) < PAGE:
                break
        return done

    def _count_page(self, changes: Sequence[StateChange]) -> None:
        facts = _facts_of({change.ti_id for change in changes if change.ti_id})
        for change in changes:
            if change.ti_id:
                count_attempt(change, facts.get(change.ti_id, {}))
        ended = [change.dag_run for change in changes if not change.task_id and change.to_state in DAG_RUN_FINISHED]
        firsts = _first_starts(ended)
        for change in changes:
            if not change.task_id:
                count_run(change, firsts.get(change.dag_run_id))
        for heard in self._hear:
            heard(changes, facts)


def _facts_of(ids: set[UUID]) -> dict[UUID, Facts]:
    """Columns of attempts, of the present one or of an earlier one."""
    facts: dict[UUID, Facts] = {}
    for model in (TaskInstance, TaskInstanceHistory):
        facts |= {row["pk"]: row for row in model._default_manager.filter(pk__in=ids).values(*_COLUMNS)}
    return facts


def _first_starts(ended: Sequence[DagRun]) -> dict[int, datetime]:
    """When the first task of a run began, for the runs whose delay Airflow tells: of the schedule, and not cleared."""
    ids = [run.pk for run in ended if run.run_type == "scheduled" and not run.clear_number]
    if not ids:
        return {}
    rows = TaskInstance.objects.filter(dag_run_id__in=ids, start_date__isnull=False).order_by().values_list("dag_run_id")
    return dict(rows.annotate(Min("start_date")))
