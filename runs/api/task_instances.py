"""Decides the REST operations that read task instances."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from dags_app.api.queries import dag_or_404
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, order_param, page_params, params
from orchestrator.sdk.serialization.spec import DagSpec
from runs.api.queries import ANY, attach_to_task_instances, run_or_404, task_instances
from runs.api.schemas import TASK_INSTANCE
from runs.instance_filters import BY_NAME, OF_ANY_TASK
from runs.models import DagRun, TaskInstance
from runs.narrowing import near_runs

operations = Operations("Task Instance")

_PAGE = (page_params(), order_param())
MAPPED_LIST = params(*OF_ANY_TASK, *_PAGE)
LIST = params(*OF_ANY_TASK, *_PAGE, Param("cursor"), *BY_NAME)
ORDER = ordering(
    "id",
    "state",
    "duration",
    "start_date",
    "end_date",
    "map_index",
    "try_number",
    "rendered_map_index",
    "operator",
    default=["map_index"],
    run_after="dag_run__run_after",
    logical_date="dag_run__logical_date",
    data_interval_start="dag_run__data_interval_start",
    data_interval_end="dag_run__data_interval_end",
)
_RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances"


@operations.add("GET", _RUN, "get_task_instances", params=LIST)
def get_task_instances(call: Call) -> dict[str, Any]:
    """Return the task instances of a run; ``~`` stands for all DAGs and all runs."""
    dag_id, run_id = call.path["dag_id"], call.path["dag_run_id"]
    rows = task_instances(dag_id, run_id)
    if call.query["task_group_id"] is not None:
        rows = _in_group(rows, dag_id, run_id, call.query["task_group_id"])
    if run_id == ANY:
        rows = near_runs(rows, call.query, None if dag_id == ANY else dag_id)
    return _list(rows, call, LIST)


@operations.add("GET", _RUN + "/{task_id}", "get_task_instance")
def get_task_instance(call: Call) -> dict[str, Any]:
    """Return one task instance that is not mapped."""
    return _one(_found(call, -1), call)


@operations.add("GET", _RUN + "/{task_id}/{map_index}", "get_mapped_task_instance", types={"map_index": scalars.integer})
def get_mapped_task_instance(call: Call) -> dict[str, Any]:
    """Return one task instance by its map index."""
    found = _found(call, call.path["map_index"])
    if found is None:
        where = f"{_where(call)}, task_id: `{call.path['task_id']}`, and map_index: `{call.path['map_index']}`"
        raise NotFoundError(f"The Mapped Task Instance with {where} was not found")
    return _one(found, call)


@operations.add("GET", _RUN + "/{task_id}/listMapped", "get_mapped_task_instances", params=MAPPED_LIST)
def get_mapped_task_instances(call: Call) -> dict[str, Any]:
    """Return the task instances of a mapped task."""
    task_id = call.path["task_id"]
    rows = task_instances(call.path["dag_id"], call.path["dag_run_id"]).filter(task_id=task_id)
    mapped = rows.filter(map_index__gte=0)
    if not mapped.exists():
        _check_mapped(call.path["dag_id"], call.path["dag_run_id"], task_id)
    return _list(mapped, call, MAPPED_LIST)


def _list(rows: QuerySet[TaskInstance], call: Call, asked: Any) -> dict[str, Any]:
    return list_body(
        rows,
        call.query,
        params=asked,
        order=ORDER,
        schema=TASK_INSTANCE,
        key="task_instances",
        attach=attach_to_task_instances,
        cursor=True,
    )


def bodies_of(rows: Sequence[TaskInstance]) -> list[dict[str, Any]]:
    """Return the bodies of task instances that are read already, each with its run."""
    attach_to_task_instances(rows)
    return [TASK_INSTANCE.of(row) for row in rows]


def collection(rows: Sequence[TaskInstance]) -> dict[str, Any]:
    """Return the body of a whole list, without pages."""
    nothing = dict.fromkeys(("next_cursor", "previous_cursor", "total_entries_limit"))
    return {"task_instances": bodies_of(rows), "total_entries": len(rows), **nothing}


def _one(found: TaskInstance | None, call: Call) -> dict[str, Any]:
    if found is None:
        raise NotFoundError(f"The Task Instance with {_where(call)} and task_id: `{call.path['task_id']}` was not found")
    attach_to_task_instances([found])
    return TASK_INSTANCE.of(found)


def _where(call: Call) -> str:
    return f"dag_id: `{call.path['dag_id']}`, run_id: `{call.path['dag_run_id']}`"


def _found(call: Call, map_index: int) -> TaskInstance | None:
    rows = TaskInstance.objects.select_related("dag_run").filter(dag_id=call.path["dag_id"], run_id=call.path["dag_run_id"])
    return rows.filter(task_id=call.path["task_id"], map_index=map_index).first()


def _in_group(rows: QuerySet[TaskInstance], dag_id: str, run_id: str, group_id: str) -> QuerySet[TaskInstance]:
    """Task instances of a task group and of the groups inside it."""
    spec = None if dag_id == ANY else _spec(dag_id, run_id)
    children = {group.group_id: group.children for group in spec.task_groups} if spec else {}
    if group_id not in children:
        raise NotFoundError({"reason": "not_found", "message": f"Task group {group_id} not found"})
    tasks: set[str] = set()
    open_groups = [group_id]
    while open_groups:
        for child in children[open_groups.pop()]:
            (open_groups.append if child in children else tasks.add)(child)
    return rows.filter(task_id__in=tasks)


def _check_mapped(dag_id: str, run_id: str, task_id: str) -> None:
    """A mapped task that is not yet expanded has an empty list; another task has none."""
    task = _spec(dag_id, run_id).task_by_id().get(task_id)
    if task is None:
        raise NotFoundError(f"Task id {task_id} not found")
    if not task.is_mapped and task.mapped_group_id is None:
        raise NotFoundError(f"Task id {task_id} is not mapped")


def _spec(dag_id: str, run_id: str) -> DagSpec:
    run: DagRun | None = None if run_id == ANY else run_or_404(dag_id, run_id)
    version_id = run.created_dag_version_id if run else None
    version_id = version_id or dag_or_404(dag_id).latest_version_id
    try:
        return spec_of(version_id) if version_id else DagSpec(dag_id=dag_id)
    except SpecUnreadableError:
        return DagSpec(dag_id=dag_id)
