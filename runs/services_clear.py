"""Decides how cleared task instances and their runs begin anew, and on which version of the DAG.

Functions open no transaction: the interface that calls them does, around one call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F

from dags_app.models import DagVersion
from orchestrator.database import for_update
from orchestrator.kernel.clock import utcnow
from runs import transitions
from runs.clear_selection import by_run
from runs.models import DagRun, TaskInstance
from runs.notes import set_notes
from runs.rerun_versions import VersionUnavailableError, move_to, preview, version_chosen
from runs.states import DAG_RUN_FINISHED, DagRunState
from runs.states import TaskInstanceState as S

CHUNK = 500
_FAILED = (S.FAILED, S.UPSTREAM_FAILED)


class RunningTaskError(Exception):
    """A task instance runs, and the caller asked to clear nothing that runs."""


@dataclass(frozen=True, slots=True)
class ClearOptions:
    """How task instances are cleared.

    Args:
        actor: who does it.
        reset_dag_runs: queue finished runs again; without it only the tasks are cleared.
        prevent_running: refuse where a task instance runs.
        latest: continue on the newest version of the DAG.
        version_number: continue on this version.
        note: written on every cleared task instance; an empty text takes notes away.
    """

    actor: str
    reset_dag_runs: bool = True
    prevent_running: bool = False
    latest: bool = False
    version_number: int | None = None
    note: str | None = None


def instances_clear(rows: Sequence[TaskInstance], options: ClearOptions) -> list[TaskInstance]:
    """Have these task instances run again; returns them as they are afterwards, under their new ids.

    Raises:
        RunningTaskError: with ``prevent_running``, where one of them runs.
        VersionUnavailableError: the version asked for cannot run.
    """
    instances_begin_anew(rows, options)
    return _as_they_are(rows)


def instances_begin_anew(rows: Sequence[TaskInstance], options: ClearOptions) -> set[UUID]:
    """Do what ``instances_clear`` does; returns which attempts it made history or undecided, by the ids that they had."""
    now = utcnow()
    moved: set[UUID] = set()
    for run_pk, some in by_run(rows).items():
        # Lock order: the run before its task instances.
        run = for_update(DagRun.objects.select_related("dag").filter(pk=run_pk)).get()
        moved |= _clear_of_run(run, some, options, now)
    if options.note is not None:
        set_notes(_as_they_are(rows), options.note, user=options.actor)
    return moved


def _clear_of_run(run: DagRun, rows: Sequence[TaskInstance], options: ClearOptions, now: datetime) -> set[UUID]:
    if options.prevent_running:
        running = TaskInstance.objects.filter(pk__in=[row.pk for row in rows], state=S.RUNNING).first()
        if running is not None:
            what = f"{running} is running"
            raise RunningTaskError(f"{what}: wait until it has ended, or clear without prevent_running_task")
    version = _version_asked(run, options)
    gone = move_to(run, version, now=now, actor=options.actor).removed_tasks if version is not None else ()
    ids = [row.pk for row in rows if row.task_id not in gone]
    moved: set[UUID] = set()
    for start in range(0, len(ids), CHUNK):
        moved.update(row.pk for row in transitions.clear(ids[start : start + CHUNK], now=now, actor=options.actor))
    if options.reset_dag_runs:
        begin_again(run, now=now, actor=options.actor)
    return moved


def _version_asked(run: DagRun, options: ClearOptions) -> DagVersion | None:
    """Return the version to move to; None where the run keeps its own."""
    if options.version_number is not None:
        return version_chosen(run.dag, run, number=options.version_number)
    if options.latest or run.created_dag_version_id is None:
        return version_chosen(run.dag, run, latest=True)
    return None


def _as_they_are(rows: Sequence[TaskInstance]) -> list[TaskInstance]:
    keys = {(row.dag_run_id, row.task_id, row.map_index) for row in rows}
    found = TaskInstance.objects.select_related("dag_run").filter(dag_run_id__in={key[0] for key in keys})
    found = found.filter(task_id__in={key[1] for key in keys}).order_by("dag_run_id", "task_id", "map_index")
    return [row for row in found if (row.dag_run_id, row.task_id, row.map_index) in keys]


def begin_again(run: DagRun, *, now: datetime, actor: str) -> None:
    """Count a clear of a run; one that is finished is queued, under whichever scheduler starts it."""
    DagRun.objects.filter(pk=run.pk).update(clear_number=F("clear_number") + 1, queued_at=now, stopped_by=None)
    if run.state in DAG_RUN_FINISHED and transitions.set_run_state(run.pk, DagRunState.QUEUED, now=now, actor=actor):
        DagRun.objects.filter(pk=run.pk).update(scheduler_id=None)


def run_clear(run: DagRun, *, actor: str, only_failed: bool = False, latest: bool = False, version: int | None = None) -> int:
    """Have the tasks of a run run again, all or those that failed; returns how many."""
    rows = TaskInstance.objects.filter(dag_run=run)
    if only_failed:
        rows = rows.filter(state__in=_FAILED)
    return len(instances_clear(list(rows), ClearOptions(actor, latest=latest, version_number=version)))


def run_add_new_tasks(run: DagRun, *, actor: str) -> tuple[str, ...]:
    """Move a run to the newest version and run only the tasks that are new in it; returns their ids."""
    now = utcnow()
    locked = for_update(DagRun.objects.select_related("dag").filter(pk=run.pk)).get()
    version = version_chosen(locked.dag, locked, latest=True)
    new = preview(locked, version).new_tasks
    if new:
        move_to(locked, version, now=now, actor=actor)
        begin_again(locked, now=now, actor=actor)
    return new


def task_instances_clear(run: DagRun, ids: Iterable[UUID], *, actor: str) -> int:
    """Have these task instances of one run run again; a finished run is queued again. Returns how many were cleared."""
    now = utcnow()
    held = for_update(DagRun.objects.filter(pk=run.pk)).get()
    cleared = transitions.clear(list(ids), now=now, actor=actor)
    if cleared:
        begin_again(held, now=now, actor=actor)
    return len(cleared)


__all__ = [
    "ClearOptions",
    "RunningTaskError",
    "VersionUnavailableError",
    "begin_again",
    "instances_begin_anew",
    "instances_clear",
    "run_add_new_tasks",
    "run_clear",
    "task_instances_clear",
]
