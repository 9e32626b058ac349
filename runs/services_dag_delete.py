"""Decides what goes when a DAG is deleted: its row, versions, runs and everything of theirs; what people did stays logged."""

from __future__ import annotations

from dags_app.models import Dag, ParseImportError
from dags_app.services import file_request_reparse
from orchestrator.database import for_update
from runs.models import Backfill, DagRun, TaskInstance, Trigger
from runs.services_xcom import xcom_objects_delete
from runs.states import TaskInstanceState

CHUNK = 100


class DagBusyError(Exception):
    """Tasks of the DAG are running."""


def dag_delete(dag_id: str) -> bool:
    """Delete a DAG inside the caller's transaction; False where there is none.

    Its file, if it is there, is parsed again. Raises ``DagBusyError`` while a task runs.
    """
    dag = for_update(Dag.objects.filter(pk=dag_id)).first()
    if dag is None:
        return False
    if TaskInstance.objects.filter(dag_id=dag_id, state=TaskInstanceState.RUNNING).exists():
        raise DagBusyError(f"Task instances of dag with id: '{dag_id}' are still running")
    waits = TaskInstance.objects.filter(dag_id=dag_id, trigger_id__isnull=False)
    Trigger.objects.filter(pk__in=list(waits.values_list("trigger_id", flat=True))).delete()
    runs = list(DagRun.objects.filter(dag_id=dag_id).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(runs), CHUNK):
        DagRun.objects.filter(pk__in=runs[start : start + CHUNK]).delete()
    Backfill.objects.filter(dag_id=dag_id).delete()
    ParseImportError.objects.filter(bundle_id=dag.bundle_id, filename=dag.relative_fileloc).delete()
    Dag.objects.filter(pk=dag_id).update(latest_version=None)
    place = dag.bundle_id, dag.relative_fileloc
    dag.delete()
    xcom_objects_delete(dag_id)
    file_request_reparse(*place)
    return True
