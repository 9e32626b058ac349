"""Decides the REST operation that gives the links of a task instance into other systems."""

import json
from typing import Any

from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from runs.models import TaskInstance, XCom
from runs.task_specs import tasks_of
from runs.tries import try_of

operations = Operations("Extra Links")

_PATH = "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/links"
_QUERY = params(Param("map_index", scalars.integer, -1), Param("try_number", scalars.integer))


@operations.add("GET", _PATH, "get_extra_links", params=_QUERY)
def get_extra_links(call: Call) -> dict[str, Any]:
    """Return the address of each link that the operator or a plugin defines; null for one that has not been stored."""
    dag_id, run_id, task_id = (call.path[name] for name in ("dag_id", "dag_run_id", "task_id"))
    rows = TaskInstance.objects.filter(dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=call.query["map_index"])
    row = rows.first()
    if row is None:
        raise NotFoundError("TaskInstance not found")
    spec = tasks_of([row]).get((row.dag_version_id, task_id))
    if spec is None:
        raise NotFoundError(f"Task with ID = {task_id} not found")
    wanted = call.query["try_number"]
    if wanted is not None and wanted != row.try_number and try_of(dag_id, run_id, task_id, row.map_index, wanted) is None:
        raise NotFoundError(f"TaskInstanceHistory not found for try_number={wanted}")
    stored = stored_links(row, list(spec.extra_link_keys.values())) if spec.extra_link_keys else {}
    links = {name: stored.get(key) or None for name, key in sorted(spec.extra_link_keys.items())}
    return {"extra_links": links, "total_entries": len(links)}


def stored_links(row: TaskInstance, keys: list[str]) -> dict[str, Any]:
    """Return the addresses that a task instance has stored under these XCom keys."""
    found = XCom.objects.filter(dag_run_id=row.dag_run_id, task_id=row.task_id, map_index=row.map_index, key__in=keys)
    return {key: _text(value) for key, value in found.values_list("key", "value")}


def _text(value: str | None) -> str | None:
    try:
        address = json.loads(value) if value else None
    except ValueError:
        return value
    return address if isinstance(address, str) else None
