"""Decides the REST operations on the tries of a task instance: the current one and the earlier ones."""

from typing import Any

from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from runs.api.queries import attach_to_tries
from runs.api.schemas import TRY
from runs.tries import tries_of

operations = Operations("Task Instance")

_TASK = "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}"
_INDEX = params(Param("map_index", scalars.integer, -1))
_TYPES = {"map_index": scalars.integer, "task_try_number": scalars.integer}


@operations.add("GET", _TASK + "/tries", "get_task_instance_tries", params=_INDEX)
def get_task_instance_tries(call: Call) -> dict[str, Any]:
    """Return all tries of a task instance, oldest first."""
    return _all(call, call.query["map_index"])


@operations.add("GET", _TASK + "/{map_index}/tries", "get_mapped_task_instance_tries", types=_TYPES)
def get_mapped_task_instance_tries(call: Call) -> dict[str, Any]:
    """Return all tries of a mapped task instance, oldest first."""
    return _all(call, call.path["map_index"])


@operations.add("GET", _TASK + "/tries/{task_try_number}", "get_task_instance_try_details", params=_INDEX, types=_TYPES)
def get_task_instance_try_details(call: Call) -> dict[str, Any]:
    """Return one try of a task instance."""
    return _one(call, call.query["map_index"])


@operations.add("GET", _TASK + "/{map_index}/tries/{task_try_number}", "get_mapped_task_instance_try_details", types=_TYPES)
def get_mapped_task_instance_try_details(call: Call) -> dict[str, Any]:
    """Return one try of a mapped task instance."""
    return _one(call, call.path["map_index"])


def _tries(call: Call, map_index: int) -> list[Any]:
    return tries_of(call.path["dag_id"], call.path["dag_run_id"], call.path["task_id"], map_index)


def _all(call: Call, map_index: int) -> dict[str, Any]:
    found = _tries(call, map_index)
    if not found:
        raise NotFoundError(f"The Task Instance with {_where(call)} and map_index: `{map_index}` was not found")
    attach_to_tries(found)
    return {"task_instances": [TRY.of(row) for row in found], "total_entries": len(found)}


def _one(call: Call, map_index: int) -> dict[str, Any]:
    number = call.path["task_try_number"]
    found = [row for row in _tries(call, map_index) if row.try_number == number]
    if not found:
        where = f"{_where(call)}, try_number: `{number}` and map_index: `{map_index}`"
        raise NotFoundError(f"The Task Instance with {where} was not found")
    attach_to_tries(found[-1:])
    return TRY.of(found[-1])


def _where(call: Call) -> str:
    path = call.path
    return f"dag_id: `{path['dag_id']}`, run_id: `{path['dag_run_id']}`, task_id: `{path['task_id']}`"
