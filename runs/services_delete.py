"""Decides what may be deleted of what runs, and what goes with it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Model

from orchestrator.database import for_update
from runs.changes import announce_run
from runs.models import DagRun, RenderedFields, TaskInstance, TaskInstanceHistory, TaskLease, TaskReschedule, Trigger, XCom
from runs.services_xcom import xcom_objects_delete
from runs.states import DagRunState

_OF_ATTEMPTS: tuple[type[Model], ...] = (TaskLease, RenderedFields, TaskReschedule)


class RunUnfinishedError(Exception):
    """A run that runs is not deleted."""


def run_delete(run: DagRun) -> None:
    """Delete a run that is queued or finished, with its task instances, XComs and everything else that belongs to it.

    Raises:
        RunUnfinishedError: the run is running; stop it first.
    """
    locked = for_update(DagRun.objects.filter(pk=run.pk)).get()
    if locked.state == DagRunState.RUNNING:
        where = f"dag_id: `{run.dag_id}` and run_id: `{run.run_id}`"
        raise RunUnfinishedError(f"The DagRun with {where} cannot be deleted in {locked.state} state")
    waits = TaskInstance.objects.filter(dag_run=run, trigger_id__isnull=False)
    Trigger.objects.filter(pk__in=list(waits.values_list("trigger_id", flat=True))).delete()
    locked.delete()
    xcom_objects_delete(run.dag_id, run.run_id)


def instances_delete(rows: Sequence[TaskInstance]) -> None:
    """Delete task instances with their earlier attempts and results; the owners of their runs read them again.

    A run that still runs gets them anew, since every task of its DAG has an instance.
    """
    list(for_update(DagRun.objects.filter(pk__in={row.dag_run_id for row in rows})).order_by("pk"))
    ids: list[UUID] = [row.pk for row in rows]
    triggers = [row.trigger_id for row in rows if row.trigger_id is not None]
    for row in rows:
        place = {"dag_run_id": row.dag_run_id, "task_id": row.task_id, "map_index": row.map_index}
        TaskInstanceHistory.objects.filter(**place).delete()
        XCom.objects.filter(**place).delete()
    for model in _OF_ATTEMPTS:
        model._default_manager.filter(ti_id__in=ids).delete()
    Trigger.objects.filter(pk__in=triggers).delete()
    TaskInstance.objects.filter(pk__in=ids).delete()
    for run_pk in sorted({row.dag_run_id for row in rows}):
        announce_run(run_pk)
