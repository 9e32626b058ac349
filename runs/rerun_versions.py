"""Decides which version of a DAG a cleared run continues on, and what that changes in the run (C20-d, C20-e)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dags_app.models import Dag, DagVersion
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.config import conf
from orchestrator.sdk.serialization.spec import DagSpec
from runs import transitions
from runs.causes import Cause
from runs.changes import announce_run
from runs.clear_selection import version_for_run
from runs.models import DagRun, TaskInstance
from runs.states import EXECUTING
from runs.states import TaskInstanceState as S


class VersionUnavailableError(Exception):
    """The DAG has no such version, or its bundle keeps no files of it."""


@dataclass(frozen=True, slots=True)
class VersionPreview:
    """What a run becomes on a version: the tasks that it gains, and those of its tasks that the version does not have."""

    version: DagVersion
    new_tasks: tuple[str, ...]
    removed_tasks: tuple[str, ...]


def runs_on_latest(dag: Dag, asked: bool | None, *, default: bool = False) -> bool:
    """Return whether a rerun takes the newest version: as asked, else as the DAG says, else ``[core] rerun_with_latest_version``.

    Args:
        default: where nobody says anything: False for a clear, True for a backfill.
    """
    if asked is not None:
        return asked
    said = newest_spec(dag).rerun_with_latest_version
    if said is None:
        said = conf.get("core", "rerun_with_latest_version")
    return default if said is None else bool(said)


def version_chosen(dag: Dag, run: DagRun, *, latest: bool = False, number: int | None = None) -> DagVersion:
    """Return the version that a rerun of ``run`` takes: a number, the newest, or (by default) the run's own.

    Raises:
        VersionUnavailableError: there is no such version, or the bundle has only the files of the newest one.
    """
    newest = _version(dag.latest_version_id)
    if number is not None:
        found = DagVersion.objects.filter(dag=dag, version_number=number).first()
    else:
        found = newest if latest else _version(version_for_run(run)) or newest
    if found is None:
        known = ", ".join(map(str, dag.versions.order_by("version_number").values_list("version_number", flat=True)))
        raise VersionUnavailableError(f"DAG {dag.dag_id!r} has no version {number or 'at all'}; it has: {known or 'none'}")
    if found != newest and found.bundle_version is None:
        raise VersionUnavailableError(
            f"version {found.version_number} of DAG {dag.dag_id!r} cannot run any more: its bundle {found.bundle_name!r} "
            f"keeps no versions of its files; choose the newest version, {newest.version_number if newest else 'none'}"
        )
    return found


def preview(run: DagRun, version: DagVersion) -> VersionPreview:
    """Return what the run would gain and lose on the version. Raises ``SpecUnreadableError``."""
    tasks = {task.task_id for task in spec_of(version.pk).tasks}
    there = set(TaskInstance.objects.filter(dag_run=run).exclude(state=S.REMOVED).values_list("task_id", flat=True).distinct())
    return VersionPreview(version, tuple(sorted(tasks - there)), tuple(sorted(there - tasks)))


def move_to(run: DagRun, version: DagVersion, *, now: datetime, actor: str) -> VersionPreview:
    """Let a run that the caller has locked continue on a version: vanished tasks become ``removed``, new ones are added.

    New rows are made by the scheduler that owns the run, when it reads the run again.
    """
    change = preview(run, version)
    if run.created_dag_version_id == version.pk and not change.new_tasks and not change.removed_tasks:
        return change
    DagRun.objects.filter(pk=run.pk).update(created_dag_version=version, bundle_version=version.bundle_version)
    gone = TaskInstance.objects.filter(dag_run=run, task_id__in=change.removed_tasks).exclude(state__in=list(EXECUTING))
    transitions.mark(list(gone.values_list("pk", flat=True)), S.REMOVED, now=now, actor=actor, cause=Cause.VERSION_CHANGED)
    announce_run(run.pk)
    return change


def _version(version_id: UUID | None) -> DagVersion | None:
    return DagVersion.objects.filter(pk=version_id).first() if version_id is not None else None


def newest_spec(dag: Dag) -> DagSpec:
    """Return the newest version of a DAG; one without tasks where there is none that can be read."""
    if dag.latest_version_id is None:
        return DagSpec(dag_id=dag.dag_id)
    try:
        return spec_of(dag.latest_version_id)
    except SpecUnreadableError:
        return DagSpec(dag_id=dag.dag_id)
