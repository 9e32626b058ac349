"""Decides our own REST operations that tell why something waits (C26-b)."""

from collections.abc import Sequence
from typing import Any

from dags_app.api.queries import dag_or_404
from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.operations import Call, Operations
from runs.api.queries import run_or_404
from runs.explain.answer import Explanation
from runs.explain.dag import explain_dag
from runs.explain.instance import explain_instance
from runs.explain.run import explain_run
from runs.models import TaskInstance

operations = Operations("Explain")

_RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}"
_TASK = _RUN + "/taskInstances/{task_id}"
_TYPES = {"map_index": scalars.at_least(-1)}


@operations.add("GET", "/dags/{dag_id}/explain", "explain_dag")
def get_dag_explain(call: Call) -> dict[str, Any]:
    """Return why a DAG gets no run, or when it gets the next one."""
    dag = dag_or_404(call.path["dag_id"])
    return _body(explain_dag(dag), dag_id=dag.pk, state=None)


@operations.add("GET", _RUN + "/explain", "explain_dag_run")
def get_run_explain(call: Call) -> dict[str, Any]:
    """Return what a run waits for."""
    run = run_or_404(call.path["dag_id"], call.path["dag_run_id"])
    return _body(explain_run(run), dag_id=run.dag_id, dag_run_id=run.run_id, state=run.state)


@operations.add("GET", _TASK + "/explain", "explain_task_instance")
def get_instance_explain(call: Call) -> dict[str, Any]:
    """Return what a task instance without a map index waits for."""
    return _of_instance(call, -1)


@operations.add("GET", _TASK + "/{map_index}/explain", "explain_mapped_task_instance", types=_TYPES)
def get_mapped_instance_explain(call: Call) -> dict[str, Any]:
    """Return what one map index waits for; -1 for a task that has none."""
    return _of_instance(call, call.path["map_index"])


def _of_instance(call: Call, map_index: int) -> dict[str, Any]:
    path = call.path
    place = {"dag_id": path["dag_id"], "run_id": path["dag_run_id"], "task_id": path["task_id"], "map_index": map_index}
    ti = TaskInstance.objects.select_related("dag_run").filter(**place).first()
    if ti is None:
        where = f"DAG {place['dag_id']!r}, run {place['run_id']!r}, task {place['task_id']!r}, map index {map_index}"
        raise NotFoundError(f"There is no task instance of {where}")
    names = {"dag_id": ti.dag_id, "dag_run_id": ti.run_id, "task_id": ti.task_id, "map_index": ti.map_index}
    return _body(explain_instance(ti), **names, state=ti.state)


def _body(found: Sequence[Explanation], **names: Any) -> dict[str, Any]:
    """The first reason is the answer; the others would hold it back as well once that one is gone."""
    first, *others = found
    return {**names, **first.document(), "also": [item.document() for item in others]}
