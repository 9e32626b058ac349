"""Decides the REST operations about the next try of a task instance; additions to Airflow's API (C25-d)."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from accounts.roles import Role
from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from orchestrator.rest.schemas import instant
from runs.models import TaskInstance
from runs.retry_orders import NotWaitingError, give_up, outlook, retry_now

operations = Operations("Task Instance")

_PATH = "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/retry"
_INDEX = params(Param("map_index", scalars.integer, -1))


@operations.add("GET", _PATH, "get_retry", params=_INDEX)
def get_retry(call: Call) -> dict[str, Any]:
    """Return when the next try begins and what is left of both budgets."""
    return _body(_instance(call))


@operations.add("POST", f"{_PATH}/now", "retry_now", role=Role.USER, params=_INDEX)
def post_retry_now(call: Call) -> dict[str, Any]:
    """Begin the next try at once."""
    return _change(call, retry_now)


@operations.add("POST", f"{_PATH}/giveUp", "give_up_retry", role=Role.USER, params=_INDEX)
def post_give_up(call: Call) -> dict[str, Any]:
    """Fail the task without another try."""
    return _change(call, give_up)


def _change(call: Call, change: Callable[..., TaskInstance]) -> dict[str, Any]:
    try:
        with transaction.atomic():
            row = change(_instance(call), actor=call.user_name)
    except NotWaitingError as error:
        raise RestError(409, str(error)) from error
    return _body(row)


def _body(row: TaskInstance) -> dict[str, Any]:
    found = outlook(row)
    budgets = {"retries_left": found.retries_left, "infra_retries_left": found.infra_retries_left}
    names = {"dag_id": row.dag_id, "dag_run_id": row.run_id, "task_id": row.task_id, "map_index": row.map_index}
    said = {"cause": row.cause, "cause_detail": row.cause_detail}
    return {**names, "state": row.state, "try_number": row.try_number, "retry_at": instant(found.retry_at), **budgets, **said}


def _instance(call: Call) -> TaskInstance:
    path = call.path
    names = {"dag_run__dag_id": path["dag_id"], "dag_run__run_id": path["dag_run_id"], "task_id": path["task_id"]}
    found = TaskInstance.objects.filter(**names, map_index=call.query["map_index"]).first()
    if found is None:
        where = f"{path['dag_id']}, run {path['dag_run_id']}, task {path['task_id']}, map index {call.query['map_index']}"
        raise NotFoundError(f"There is no task instance of {where}")
    return found
