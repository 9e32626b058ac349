"""Decides what the page of a task group in a run shows: its groups and tasks in the order of the file, with their states."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min

from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec
from runs.clear_scope import ClearScope
from runs.models import DagRun, TaskInstance
from runs.pages.rows import span_of
from runs.pages.worst import rank, state_of, worst


@dataclass(frozen=True, slots=True)
class Row:
    """A task, or a group within: ``counts`` are its instances by state, worst first."""

    id: str
    name: str
    is_group: bool
    tasks: int
    counts: list[tuple[str | None, int]]
    start: datetime | None
    end: datetime | None
    seconds: float | None
    key: str
    operator: str = ""

    @property
    def state(self) -> str | None:
        """The state that stands for it."""
        return state_of(worst(state for state, _ in self.counts))

    @property
    def total(self) -> int:
        """How many instances it has."""
        return sum(number for _, number in self.counts)


@dataclass(frozen=True, slots=True)
class GroupPage:
    """What the template shows; ``whole`` is the group itself."""

    group: TaskGroupSpec
    whole: Row
    rows: list[Row]
    parents: list[TaskGroupSpec]


class _Seen:
    """What is summed up of the instances of some tasks."""

    def __init__(self) -> None:
        self.states: Counter[str | None] = Counter()
        self.starts: list[datetime] = []
        self.ends: list[datetime] = []

    def add(self, other: _Seen) -> None:
        self.states += other.states
        self.starts += other.starts
        self.ends += other.ends


def group_page(run: DagRun, spec: DagSpec, group_id: str) -> GroupPage | None:
    """Return the page by one query; None where the version of the run has no such group."""
    groups = {group.group_id: group for group in spec.task_groups if group.group_id is not None}
    members = ClearScope(spec).group_members(group_id)
    if members is None or group_id not in groups:
        return None
    seen = _seen(run, list(members))
    tasks = spec.task_by_id()
    rows = []
    for child in groups[group_id].children:
        if child in groups:
            inside = sorted(ClearScope(spec).group_members(child) or ())
            rows.append(_row(run, child, _name(groups[child]), inside, seen, is_group=True))
        elif task := tasks.get(child):
            operator = task.operator_name or task.task_type
            rows.append(
                _row(
                    run,
                    child,
                    task.task_display_name if task.task_display_name not in ("", child) else task.label or child,
                    [child],
                    seen,
                    operator=operator,
                )
            )
    whole = _row(run, group_id, _name(groups[group_id]), sorted(members), seen, is_group=True)
    return GroupPage(groups[group_id], whole, rows, _parents(groups, group_id))


def _name(group: TaskGroupSpec) -> str:
    return group.display_name or group.label or str(group.group_id)


def _parents(groups: dict[str, TaskGroupSpec], group_id: str) -> list[TaskGroupSpec]:
    found: list[TaskGroupSpec] = []
    parent = groups[group_id].parent_id
    while parent in groups and len(found) < len(groups):
        found.insert(0, groups[parent])
        parent = groups[parent].parent_id
    return found


def _seen(run: DagRun, task_ids: list[str]) -> dict[str, _Seen]:
    found: dict[str, _Seen] = {}
    rows = TaskInstance.objects.filter(dag_run=run, task_id__in=task_ids).values_list("task_id", "state")
    for task_id, state, number, start, end in rows.annotate(
        n=Count("id"), first=Min("start_date"), last=Max("end_date")
    ).order_by():
        one = found.setdefault(task_id, _Seen())
        one.states[state] += number
        one.starts += [start] if start else []
        one.ends += [end] if end else []
    return found


def _row(
    run: DagRun, id: str, name: str, task_ids: list[str], seen: dict[str, _Seen], *, is_group: bool = False, operator: str = ""
) -> Row:
    total = _Seen()
    for task_id in task_ids:
        total.add(seen.get(task_id, _Seen()))
    counts = [(state, total.states[state]) for state in sorted(total.states, key=rank)]
    start = min(total.starts, default=None)
    end, seconds = span_of(run, total.states, start, max(total.ends, default=None))
    number = sum(total.states.values())
    key = f"{run.pk}:{id}:-1" if not is_group and number == 1 else ""
    return Row(id, name, is_group, len(task_ids), counts, start, end, seconds, key, operator)
