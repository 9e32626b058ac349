"""Decides whether a backfill stands still because its runs wait for a past that failed, and names the task instance (C22-c)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dags_app.selectors import spec_of
from runs.backfills.membership import is_first_of_backfill
from runs.models import Backfill, DagRun, TaskInstance
from runs.scheduler.look_back import previous_run
from runs.states import FAILED_STATES, DagRunState


@dataclass(frozen=True, slots=True)
class Blocked:
    """A run of a backfill that can never go on by itself, and the task instance of an earlier run that it waits for."""

    run: DagRun
    task_id: str
    blocker: TaskInstance

    @property
    def sentence(self) -> str:
        """What is wrong and what to do, in one sentence."""
        return (
            f"{self.task_id} of run {self.run.run_id} depends on its past: {self.blocker.task_id} of run "
            f"{self.blocker.run_id} is {self.blocker.state}. Clear or mark that one, or cancel the backfill."
        )


def blocked_runs(backfill: Backfill) -> list[Blocked]:
    """Return the running runs of a backfill that wait for a failed task instance of an earlier run (C22-c)."""
    return list(_blocked(DagRun.objects.filter(backfill=backfill, state=DagRunState.RUNNING).order_by("logical_date")))


def _blocked(runs: Iterable[DagRun]) -> Iterator[Blocked]:
    for run in runs:
        if run.created_dag_version_id is None:
            continue
        spec = spec_of(run.created_dag_version_id)
        looking = [task.task_id for task in spec.tasks if task.depends_on_past]
        before = previous_run(run, spec) if looking else None
        if before is None or is_first_of_backfill(run):
            continue
        waiting = TaskInstance.objects.filter(dag_run=run, task_id__in=looking, state=None)
        failed = TaskInstance.objects.filter(dag_run=before, state__in=list(FAILED_STATES))
        found = failed.filter(task_id__in=waiting.values("task_id")).order_by("task_id", "map_index").first()
        if found is not None:
            yield Blocked(run, found.task_id, found)
