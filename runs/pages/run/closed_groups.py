"""Decides how a Gantt chart shows task groups that are closed: one row for all the tasks in a group."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from runs.models import DagRun
from runs.pages.run.task_rows import TaskRow

# From so many tasks on groups are closed, unless the address says otherwise.
CLOSED_FROM = 100


def are_closed(rows: Sequence[TaskRow], asked: str, group: str) -> bool:
    """Whether groups are shown as one row: as the address says, else where there are many tasks."""
    if not any(group_of(row, group) for row in rows):
        return False
    return asked == "closed" or (asked != "open" and len(rows) >= CLOSED_FROM)


def closed(run: DagRun, rows: Iterable[TaskRow], group: str) -> list[TaskRow]:
    """Return the rows with one for each group in place of those of its tasks; ``group``: the one that is looked into."""
    found: dict[str, TaskRow] = {}
    kept = []
    for row in rows:
        name = group_of(row, group)
        if not name:
            kept.append(row)
            continue
        whole = found.setdefault(name, TaskRow(run, name, name=name, index=0, is_group=True, order=row.order))
        for state, number in row.counts.items():
            whole.counts[state] = whole.counts.get(state, 0) + number
        whole.order = min(whole.order, row.order)
        whole.start = min(filter(None, (whole.start, row.began)), default=None)
        whole.end = max(filter(None, (whole.end, row.end)), default=None)
    return [*kept, *found.values()]


def on_path(rows: Iterable[TaskRow], path: Collection[str], group: str) -> set[str]:
    """Return what of the chart is on the critical path: tasks, and groups that hold one."""
    return {group_of(row, group) or row.task_id for row in rows if row.task_id in path}


def group_of(row: TaskRow, group: str) -> str:
    """Return the outermost group of a task below the one that is looked into, empty for none."""
    prefix = f"{group}." if group else ""
    inside = row.group_id[len(prefix) :] if row.group_id.startswith(prefix) else ""
    return f"{prefix}{inside.partition('.')[0]}" if inside else ""
