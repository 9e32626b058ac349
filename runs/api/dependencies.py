"""Decides the REST operations that say what a task instance waits for."""

from typing import Any

from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from runs.api.instance_changes import missing
from runs.blockers import blockers_of
from runs.models import TaskInstance

operations = Operations("Task Instance")

_TASK = "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}"
_INDEX = params(Param("map_index", scalars.integer, -1))


@operations.add("GET", _TASK + "/dependencies", "get_task_instance_dependencies", params=_INDEX)
def get_task_instance_dependencies(call: Call) -> dict[str, Any]:
    """Return what keeps a task instance from being scheduled; nothing for one that is further."""
    return _answer(call, call.query["map_index"])


@operations.add(
    "GET",
    _TASK + "/{map_index}/dependencies",
    "get_task_instance_dependencies_by_map_index",
    types={"map_index": scalars.integer},
)
def get_task_instance_dependencies_by_map_index(call: Call) -> dict[str, Any]:
    """Return what keeps one map index from being scheduled."""
    return _answer(call, call.path["map_index"])


def _answer(call: Call, map_index: int) -> dict[str, Any]:
    dag_id, run_id, task_id = (call.path[name] for name in ("dag_id", "dag_run_id", "task_id"))
    rows = TaskInstance.objects.select_related("dag_run__dag").filter(dag_id=dag_id, run_id=run_id, task_id=task_id)
    found = rows.filter(map_index=map_index).first()
    if found is None:
        raise NotFoundError([missing(dag_id, run_id, task_id, map_index)])
    return {"dependencies": [{"name": name, "reason": reason} for name, reason in blockers_of(found)]}
