"""Decides the REST operations that read runs and task instances of many DAGs by a body of filters."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from orchestrator.rest import scalars
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, between, one_of, params
from runs.api.change_bodies import INSTANCES_BATCH, RUNS_BATCH
from runs.api.queries import ANY, attach_to_runs, attach_to_task_instances, task_instances
from runs.api.schemas import RUN, TASK_INSTANCE
from runs.models import DagRun
from runs.narrowing import near_runs
from runs.run_filters import conf_contains, seconds, with_duration

operations = Operations("DagRun")

_ALL = scalars.choice(ANY, kind="literal_error")


def _states(rows: QuerySet[Any], values: list[str | None]) -> QuerySet[Any]:
    wanted = Q(state__in=[value for value in values if value is not None])
    return rows.filter(wanted | Q(state=None) if None in values else wanted)


_RUNS = params(
    one_of("dag_ids", "dag_id"),
    *(between(name, name) for name in ("run_after", "logical_date", "start_date", "end_date")),
    between("duration", "length", lambda value: value),
    Param("states", apply=_states),
    Param("conf_contains", apply=conf_contains),
)
_RUN_ORDER = ordering(
    *("id", "state", "dag_id", "run_after", "logical_date", "run_id", "start_date", "end_date", "updated_at", "conf"),
    default=["id"],
    dag_run_id="run_id",
)
_INSTANCES = params(
    one_of("dag_ids", "dag_id"),
    one_of("dag_run_ids", "run_id"),
    one_of("task_ids", "task_id"),
    one_of("pool", "pool"),
    one_of("queue", "queue"),
    one_of("executor", "executor"),
    between("run_after", "dag_run__run_after"),
    between("logical_date", "dag_run__logical_date"),
    *(between(name, name) for name in ("start_date", "end_date", "duration")),
    Param("state", apply=_states),
)
_INSTANCE_ORDER = ordering("id", "state", "duration", "start_date", "end_date", "map_index", default=["id"])


@operations.add("POST", "/dags/{dag_id}/dagRuns/list", "get_list_dag_runs_batch", body=RUNS_BATCH, types={"dag_id": _ALL})
def get_list_dag_runs_batch(call: Call) -> dict[str, Any]:
    """Return runs of all DAGs, or of those named."""
    durations = {f"duration_{bound}": _seconds(call.body[f"duration_{bound}"]) for bound in ("gte", "gt", "lte", "lt")}
    return list_body(
        with_duration(DagRun.objects.all()),
        _query(call.body) | durations,
        params=_RUNS,
        order=_RUN_ORDER,
        schema=RUN,
        key="dag_runs",
        attach=attach_to_runs,
        cursor=True,
    )


@operations.add(
    "POST",
    "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/list",
    "get_task_instances_batch",
    body=INSTANCES_BATCH,
    types={"dag_id": _ALL, "dag_run_id": _ALL},
)
def get_task_instances_batch(call: Call) -> dict[str, Any]:
    """Return task instances of all runs, or of those named."""
    query = _query(call.body)
    return list_body(
        near_runs(task_instances(ANY, ANY), query),
        query,
        params=_INSTANCES,
        order=_INSTANCE_ORDER,
        schema=TASK_INSTANCE,
        key="task_instances",
        attach=attach_to_task_instances,
        cursor=True,
    )


def _query(body: Mapping[str, Any]) -> dict[str, Any]:
    page = {"limit": body["page_limit"], "offset": body["page_offset"], "cursor": None}
    return dict(body) | page | {"order_by": [body["order_by"]] if body["order_by"] else None}


def _seconds(value: float | None) -> Any:
    return None if value is None else seconds(value)
