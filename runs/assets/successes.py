"""Decides which ends of attempts make events of assets: successes of tasks with outlets, in their own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from orchestrator.config import conf
from orchestrator.sdk.serialization.spec import TaskSpec
from runs.assets.events import events_add
from runs.assets.outlets import events_of_success
from runs.models import DagRun, TaskInstance
from runs.reports import Report
from runs.states import TaskInstanceState
from runs.stores import task_values_forget
from runs.task_specs import tasks_of

Json = Any


def successes_note(ends: Sequence[tuple[TaskInstance, Report]], *, now: datetime) -> None:
    """Write the events of ends that have been written; costs nothing where no outlets are reported."""
    if conf.get("state_store", "clear_on_success"):
        task_values_forget([row for row, item in ends if item.state == TaskInstanceState.SUCCESS])
    made = [(row, item) for row, item in ends if (item.outlets or item.outlet_events) and item.state == TaskInstanceState.SUCCESS]
    if not made:
        return
    runs = DagRun.objects.in_bulk({row.dag_run_id for row, _ in made})
    new = []
    for row, item in made:
        new += events_of_success(row, runs[row.dag_run_id], item.outlets, item.outlet_events)
    events_add(new, now=now)


def with_outlets(ends: Sequence[tuple[TaskInstance, Report]]) -> list[tuple[TaskInstance, Report]]:
    """Return the ends with the outlets that their DAGs name: nobody reports them for a task that ends without a worker."""
    tasks = tasks_of(row for row, item in ends if item.state == TaskInstanceState.SUCCESS)
    return [(row, _with(item, tasks.get((row.dag_version_id, row.task_id)))) for row, item in ends]


def _with(item: Report, task: TaskSpec | None) -> Report:
    return replace(item, outlets=[profile_of(port) for port in task.outlets]) if task is not None and task.outlets else item


def profile_of(port: Json) -> dict[str, Json]:
    """Return name, URI and type of an outlet or inlet as a worker reports them; the type is empty for what is no asset."""
    document = port if isinstance(port, dict) else {}
    name, uri = document.get("name"), document.get("uri")
    reference = "AssetNameRef" if name else "AssetUriRef"
    kinds = {"asset": "Asset", "asset_alias": "AssetAlias", "asset_ref": reference}
    return {"name": name or None, "uri": uri or None, "type": kinds.get(str(document.get("type")), "")}
