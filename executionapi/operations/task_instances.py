"""Decides what workers may read about task instances other than their own."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from django.db.models import Q, QuerySet

from dags_app.models import Dag
from dags_app.selectors import spec_of
from executionapi.calls import Call, Operation, one_by_one
from executionapi.documents import moment
from executionapi.fields import Field, instant, instants, integer, one_of, optional, read_query, text, texts
from executionapi.replies import Reply, not_found
from orchestrator.sdk.serialization.spec import DagSpec
from runs.models import TaskInstance
from runs.states import FINISHED, TaskInstanceState

_CHOICE: Final = (
    Field("dag_id", text),
    Field("map_index", optional(integer), required=False),
    Field("task_ids", texts, required=False),
    Field("task_group_id", text, required=False),
    Field("logical_dates", instants, required=False),
    Field("run_ids", texts, required=False),
    Field("states", texts, required=False),
)
_PREVIOUS: Final = (
    Field("logical_date", optional(instant), required=False),
    Field("map_index", integer, required=False, default=-1),
    Field("state", one_of(*(state.value for state in TaskInstanceState)), required=False),
)
_RUN: Final = (Field("dag_id", text), Field("run_id", text))


def _chosen(wanted: dict[str, Any]) -> QuerySet[TaskInstance]:
    rows = TaskInstance.objects.filter(dag_id=wanted["dag_id"])
    if wanted["logical_dates"]:
        rows = rows.filter(dag_run__logical_date__in=wanted["logical_dates"])
    if wanted["run_ids"]:
        rows = rows.filter(run_id__in=wanted["run_ids"])
    if wanted["map_index"] is not None:
        rows = rows.filter(map_index=wanted["map_index"])
    if wanted["task_group_id"]:
        tasks = _group_tasks(wanted["dag_id"], wanted["task_group_id"])
        rows = rows.filter(task_id__in=tasks | set(wanted["task_ids"] or ()))
    elif wanted["task_ids"]:
        rows = rows.filter(task_id__in=wanted["task_ids"])
    return rows


def _group_tasks(dag_id: str, group_id: str) -> set[str]:
    """The ids of all tasks inside a group and its groups, in the newest version of the DAG."""
    dag = Dag.objects.filter(pk=dag_id).only("latest_version_id").first()
    spec = spec_of(dag.latest_version_id) if dag is not None and dag.latest_version_id else None
    if spec is None or all(group.group_id != group_id for group in spec.task_groups):
        raise not_found(f"Task group {group_id} not found in DAG {dag_id}")
    return _inside(spec, group_id)


def _inside(spec: DagSpec, group_id: str) -> set[str]:
    parents = {group.group_id: group.parent_id for group in spec.task_groups}
    inside = {group_id}
    while more := {group for group, parent in parents.items() if group and parent in inside} - inside:
        inside |= more
    return {task.task_id for task in spec.tasks if task.task_group_id in inside}


def count(call: Call) -> Reply:
    """How many task instances fit; the state ``null`` means "not decided yet"."""
    wanted = read_query(call.query, _CHOICE)
    rows = _chosen(wanted)
    if states := wanted["states"]:
        chosen = Q(state__in=[state for state in states if state != "null"])
        rows = rows.filter(chosen | Q(state__isnull=True) if "null" in states else chosen)
    return Reply(200, rows.count())


def states(call: Call) -> Reply:
    """State by run and task; a mapped one is named ``<task>_<map index>``."""
    found: dict[str, dict[str, str | None]] = defaultdict(dict)
    rows = _chosen(read_query(call.query, _CHOICE)).values_list("run_id", "task_id", "map_index", "state")
    for run_id, task_id, map_index, state in rows:
        found[run_id][task_id if map_index < 0 else f"{task_id}_{map_index}"] = state
    return Reply(200, {"task_states": found})


def previous(call: Call) -> Reply:
    """The task instance of the latest run, or of the latest before a logical date; null where there is none."""
    wanted = read_query(call.query, _PREVIOUS)
    rows = TaskInstance.objects.filter(
        dag_id=call.args["dag_id"], task_id=call.args["task_id"], map_index=wanted["map_index"]
    ).select_related("dag_run")
    if wanted["logical_date"]:
        rows = rows.filter(dag_run__logical_date__lt=wanted["logical_date"])
    if wanted["state"]:
        rows = rows.filter(state=wanted["state"])
    row = rows.order_by("-dag_run__logical_date").first()
    return Reply(200, None if row is None else _previous_document(row))


def _previous_document(row: TaskInstance) -> dict[str, Any]:
    return {
        "task_id": row.task_id,
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "logical_date": moment(row.dag_run.logical_date),
        "start_date": moment(row.start_date),
        "end_date": moment(row.end_date),
        "state": row.state,
        "try_number": row.try_number,
        "map_index": row.map_index,
        "duration": row.duration,
    }


def breadcrumbs(call: Call) -> Reply:
    """The finished task instances of a run."""
    wanted = read_query(call.query, _RUN)
    rows = TaskInstance.objects.filter(**wanted, state__in=[state for state in FINISHED if state])
    columns = ("task_id", "map_index", "state", "operator", "duration")
    return Reply(200, {"breadcrumbs": list(rows.order_by("task_id", "map_index").values(*columns))})


OPERATIONS: Final = (
    Operation("GET", "task-instances/count", one_by_one(count)),
    Operation("GET", "task-instances/states", one_by_one(states)),
    Operation("GET", "task-instances/breadcrumbs", one_by_one(breadcrumbs)),
    Operation("GET", "task-instances/previous/{dag_id}/{task_id}", one_by_one(previous)),
)
