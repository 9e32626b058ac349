"""Decides what the list of a DAG's tasks tells of each: what it is, how it is tried again, and its states in the last runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from orchestrator.templatetags.shown import look_of, run_title
from runs.pages.grid_cells import Cells, read_cells
from runs.pages.task_history import newest_runs
from runs.pages.worst import state_of, worst

LAST_RUNS = 12


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task; ``spec`` is None for one that the newest version no longer has."""

    task_id: str
    spec: TaskSpec | None
    group: str
    is_mapped: bool
    strip: SafeString


def task_rows(dag_id: str, spec: DagSpec | None, only: Sequence[str] | None = None) -> list[TaskRow]:
    """Return the tasks of a DAG, upstream first, then those that only its last runs know; three queries.

    Args:
        dag_id: the DAG.
        spec: its newest version, None where it cannot be read.
        only: ids of the tasks that are wanted; None for all.
    """
    runs = newest_runs(dag_id, LAST_RUNS)[::-1]
    cells = read_cells([run.pk for run in runs])
    titles = [(run.pk, run_title(run)) for run in runs]
    tasks = list(spec.tasks) if spec is not None else []
    there = {task.task_id for task in tasks}
    rows = [_row(task.task_id, task, cells, titles) for task in tasks]
    rows += [_row(task_id, None, cells, titles) for task_id in sorted(cells.known() - there)]
    return [row for row in rows if only is None or row.task_id in only]


def _row(task_id: str, task: TaskSpec | None, cells: Cells, titles: Sequence[tuple[int, str]]) -> TaskRow:
    is_mapped = task_id in cells.mapped or (task is not None and (task.is_mapped or task.mapped_group_id is not None))
    return TaskRow(task_id, task, (task.task_group_id or "") if task else "", is_mapped, _strip(cells, task_id, titles))


def _strip(cells: Cells, task_id: str, titles: Sequence[tuple[int, str]]) -> SafeString:
    marks = []
    for run, title in titles:
        if counts := cells.summed([task_id], run):
            glyph, family, word = look_of(state_of(worst(counts)))
            marks.append((family, word, title, glyph))
    return format_html_join("", '<span class="dot {}" role="img" title="{}, {}">{}</span>', marks)


def fits(row: TaskRow, text: str) -> bool:
    """Return whether a task passes the filter: its id, its operator or its trigger rule holds the text."""
    task = row.spec
    held = [row.task_id, *([task.task_type, task.operator_name, task.trigger_rule, task.task_display_name] if task else [])]
    return any(text.lower() in item.lower() for item in held)
