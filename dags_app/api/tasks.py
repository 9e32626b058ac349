"""Decides the REST operations on the tasks of a DAG, as its latest version defines them."""

from __future__ import annotations

from typing import Any

from dags_app.api.queries import dag_or_404, spec_or_404
from dags_app.graph.tree import in_definition_order
from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from orchestrator.rest.schemas import Schema
from orchestrator.sdk.serialization.spec import TaskSpec

operations = Operations("Task")

DAY = 86400


def _time_delta(seconds: float | None) -> dict[str, Any] | None:
    """Return a duration as the contract has it."""
    if seconds is None:
        return None
    whole, part = divmod(round(seconds * 1_000_000), 1_000_000)
    return {"__type": "TimeDelta", "days": whole // DAY, "seconds": whole % DAY, "microseconds": part}


TASK = Schema(
    "TaskResponse",
    "task_id",
    "task_display_name",
    "owner",
    "start_date",
    "end_date",
    "trigger_rule",
    "depends_on_past",
    "wait_for_downstream",
    "queue",
    "pool",
    "weight_rule",
    "ui_color",
    "ui_fgcolor",
    "template_fields",
    "downstream_task_ids",
    "doc_md",
    "operator_name",
    "params",
    "is_mapped",
    class_ref=lambda task: {"class_name": task.task_type, "module_path": task.task_module},
    execution_timeout=lambda task: _time_delta(task.execution_timeout),
    retry_delay=lambda task: _time_delta(task.retry_delay),
    retries=lambda task: float(task.retries),
    pool_slots=lambda task: float(task.pool_slots),
    priority_weight=lambda task: float(task.priority_weight),
    retry_exponential_backoff=lambda task: float(task.retry_exponential_backoff),
    # Airflow shows no names here; the links are at .../taskInstances/{task_id}/links.
    extra_links=lambda task: [],
)
LIST = params(Param("order_by", scalars.text, "task_id"))


@operations.add("GET", "/dags/{dag_id}/tasks", "get_tasks", params=LIST)
def get_tasks(call: Call) -> dict[str, Any]:
    """Return the tasks of a DAG, ordered by one of their fields, equals as defined; a minus before it turns the order round."""
    tasks = in_definition_order(spec_or_404(dag_or_404(call.path["dag_id"])))
    order = call.query["order_by"]
    name = order.removeprefix("-")
    if name not in TaskSpec.__slots__:
        raise RestError(400, f"Ordering with '{name}' is disallowed or the attribute does not exist on the model")
    ordered = sorted(tasks, key=lambda task: _sortable(getattr(task, name)), reverse=order.startswith("-"))
    return {"tasks": [TASK.of(task) for task in ordered], "total_entries": len(ordered)}


@operations.add("GET", "/dags/{dag_id}/tasks/{task_id}", "get_task")
def get_task(call: Call) -> dict[str, Any]:
    """Return one task of a DAG."""
    task = spec_or_404(dag_or_404(call.path["dag_id"])).task_by_id().get(call.path["task_id"])
    if task is None:
        raise NotFoundError(f"Task with id {call.path['task_id']} was not found")
    return TASK.of(task)


def _sortable(value: Any) -> tuple[bool, Any]:
    """Return a key for values that may be absent or of no order."""
    return (value is not None, value if isinstance(value, int | float | str) else str(value))
