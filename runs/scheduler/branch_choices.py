"""Decides which tasks a branch has told to skip: what it chose is an XCom, which outlives a clear of the tasks below it."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from orchestrator.sdk.serialization.spec import DagSpec
from runs.models import XCom
from runs.run_nodes import Key
from runs.scheduler.holdings import OwnedRun

KEY = "skipmixin_key"  # Airflow's: {"followed": [task ids]} or {"skipped": [task ids]}

Choices = dict[tuple[str, int], Any]


def branches_of(spec: DagSpec) -> tuple[frozenset[str], frozenset[str]]:
    """Return the tasks that choose, and those directly below them."""
    branches = [task for task in spec.tasks if task.branches]
    below = (name for task in branches for name in task.downstream_task_ids)
    return frozenset(task.task_id for task in branches), frozenset(below)


def read_choices(owned: OwnedRun) -> None:
    """Tell the graph what the branches of the run chose, in one query; none for a run without branches."""
    owned.branch_news = False
    if not owned.branches:
        return
    rows = XCom.objects.filter(dag_run_id=owned.pk, key=KEY, task_id__in=owned.branches)
    choices = {(task_id, index): _read(value) for task_id, index, value in rows.values_list("task_id", "map_index", "value")}
    told: dict[Key, list[str]] = {key: [] for key in owned.graph if key[0] in owned.below_branches and key[0] in owned.tasks}
    above: dict[str, list[str]] = defaultdict(list)
    for task_id in {key[0] for key in told}:
        above[task_id] = [name for name in owned.tasks[task_id].upstream_task_ids if name in owned.branches]
    for key, parents in told.items():
        parents += [name for name in above[key[0]] if _skips(choices.get((name, _index(owned, name, key))), key[0])]
    owned.graph.set_branch_skips(told)


def _index(owned: OwnedRun, branch: str, key: Key) -> int:
    """Return whose choice counts: of a mapped branch that of the same index, of any other the one without index.

    So a branch inside of a mapped group skips nothing, as in Airflow 3.3.2.
    """
    return key[1] if owned.tasks[branch].is_mapped else -1


def _skips(choice: Any, task_id: str) -> bool:
    if not isinstance(choice, dict):
        return False
    if isinstance(choice.get("followed"), list):
        return task_id not in choice["followed"]
    return isinstance(choice.get("skipped"), list) and task_id in choice["skipped"]


def _read(value: str | None) -> Any:
    try:
        return json.loads(value) if value else None
    except ValueError:
        return None
