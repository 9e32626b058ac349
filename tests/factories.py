"""Decides how tests make rows: plain functions that fill in what a test does not care about."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from dags_app.models import Bundle, Dag, DagVersion
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec, to_json
from runs.models import DagRun, TaskInstance, TaskLease

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def make_dag(dag_id: str = "d", spec: DagSpec | None = None, **fields: Any) -> Dag:
    """A DAG with one version; without a spec it has one task ``t``."""
    bundle, _ = Bundle.objects.get_or_create(name="dags-folder")
    values = {"is_paused": False, "relative_fileloc": f"{dag_id}.py", "fileloc": f"/dags/{dag_id}.py", **fields}
    dag = Dag.objects.create(dag_id=dag_id, bundle=bundle, **values)
    spec = spec or DagSpec(dag_id=dag_id, tasks=[TaskSpec(task_id="t")])
    dag.latest_version = DagVersion.objects.create(
        dag=dag, version_number=1, structure_hash=str(new_id()), attributes_hash="a", document=json.dumps(to_json(spec))
    )
    dag.save(update_fields=["latest_version"])
    return dag


def make_run(dag: Dag, run_id: str = "r", **fields: Any) -> DagRun:
    """A running run."""
    values = {"run_type": "manual", "state": "running", "run_after": NOON, "start_date": NOON, "conf": {}, **fields}
    return DagRun.objects.create(dag=dag, run_id=run_id, created_dag_version=dag.latest_version, **values)


def make_ti(run: DagRun, task_id: str = "t", **fields: Any) -> TaskInstance:
    """A queued first try with a dispatch id; ``state`` and the rest can be given."""
    values = {"state": "queued", "try_number": 1, "dispatch_id": new_id(), "dag_version": run.created_dag_version, **fields}
    return TaskInstance.objects.create(dag_run=run, dag_id=run.dag_id, run_id=run.run_id, task_id=task_id, **values)


def make_lease(ti: TaskInstance, **fields: Any) -> TaskLease:
    """The lease of a running attempt."""
    values = {"dispatch_id": ti.dispatch_id, "owner": "h:1", "renewed_at": NOON, "expires_at": NOON, **fields}
    return TaskLease.objects.create(ti_id=ti.pk, dag_run=ti.dag_run, **values)
