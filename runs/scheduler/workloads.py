"""Decides what an executor receives for an attempt: Airflow's ``ExecuteTask`` workload."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from uuid import UUID

from dags_app.models import DagVersion
from runs.models import DagRun, TaskInstance
from runs.workload_tokens import issue_workload_token


def workload_of(row: TaskInstance) -> dict[str, Any]:
    """Return the workload of a queued attempt; its token carries the dispatch id."""
    bundle_name, bundle_version, relative_fileloc = _place(row.dag_version_id)
    if bundle_version is not None:
        # The run's own: commits that change only a task's body make no new version of the DAG.
        bundle_version = DagRun.objects.filter(pk=row.dag_run_id).values_list("bundle_version", flat=True).first()
    return {
        "type": "ExecuteTask",
        "token": issue_workload_token(row.id, row.dispatch_id),
        "dag_rel_path": relative_fileloc,
        "bundle_info": {"name": bundle_name, "version": bundle_version},
        "log_path": log_path(row.dag_id, row.run_id, row.task_id, row.map_index, row.try_number),
        "ti": {
            "id": str(row.id),
            "dag_version_id": str(row.dag_version_id),
            "task_id": row.task_id,
            "dag_id": row.dag_id,
            "run_id": row.run_id,
            "try_number": row.try_number,
            "map_index": row.map_index,
            "pool_slots": row.pool_slots,
            "queue": row.queue,
            "priority_weight": row.priority_weight,
            "executor_config": row.executor_config or None,
            "parent_context_carrier": None,
            "context_carrier": None,
        },
        "sentry_integration": "",
    }


def log_path(dag_id: str, run_id: str, task_id: str, map_index: int, try_number: int) -> str:
    """Return the attempt's log file below ``[logging] base_log_folder``, named as Airflow names it."""
    mapped = f"/map_index={map_index}" if map_index >= 0 else ""
    return f"dag_id={dag_id}/run_id={run_id}/task_id={task_id}{mapped}/attempt={try_number}.log"


@lru_cache(maxsize=1024)
def _place(version_id: UUID | None) -> tuple[str, str | None, str]:
    """Return bundle, bundle version and file of a version; they never change for one version."""
    values = ("bundle_name", "bundle_version", "dag__relative_fileloc")
    found = version_id and DagVersion.objects.filter(pk=version_id).values_list(*values).first()
    if not found:
        raise LookupError(f"DAG version {version_id} does not exist any more")
    return found[0] or "dags-folder", found[1], found[2]
