"""Decides what the address of a task instance's page means: which tries it has, which one is shown, where its pages are."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import reverse

from runs.models import AttemptFields, TaskInstance
from runs.pages.ti_facts import with_facts
from runs.states import TaskInstanceState
from runs.tries import tries_of


def tries_or_404(dag_id: str, run_id: str, task_id: str, map_index: int | None, *, with_head: bool = True) -> list[AttemptFields]:
    """Return the tries, oldest first; none for a mapped task without an index. Raises ``Http404`` where there is no such task.

    ``with_head``: the current one brings what the head of its pages tells.
    """
    index = -1 if map_index is None else map_index
    found = tries_of(dag_id, run_id, task_id, index, with_facts) if with_head else tries_of(dag_id, run_id, task_id, index)
    if found:
        for row in found:
            row.dag_run = found[-1].dag_run  # every page names the run
        return found
    # By the run, of which an index leads to its few rows; a task of a DAG may have a row for each of very many runs.
    rows = TaskInstance.objects.filter(dag_run__dag_id=dag_id, dag_run__run_id=run_id, task_id=task_id)
    if map_index is None and rows.exists():
        return []
    where = f" with map index {map_index}" if map_index is not None and rows.exists() else ""
    raise Http404(f"Run {run_id} of DAG {dag_id} has no task {task_id}{where}")


def ended_tries(tries: list[AttemptFields]) -> list[AttemptFields]:
    """Return the tries that have or had a process. A task that waits for its next one is still counted as the last."""
    shown = [row for row in tries if row.try_number > 0]
    numbers = [row.try_number for row in shown[:-1]]
    if shown and shown[-1].state == TaskInstanceState.UP_FOR_RETRY and shown[-1].try_number in numbers:
        return shown[:-1]
    return shown


def chosen_try(tries: list[AttemptFields], number: str | None) -> AttemptFields:
    """Return the try of that number, the newest of it; without a number the newest that has a log."""
    shown = ended_tries(tries)
    return next((row for row in reversed(shown) if str(row.try_number) == number), (shown or tries)[-1])


def args_of(ti: Any) -> list[Any]:
    """Return the arguments of the addresses of a task instance's pages."""
    return [ti.dag_id, ti.run_id, ti.task_id, *([ti.map_index] if ti.map_index >= 0 else [])]


def path_of_instance(ti: Any) -> str:
    """Return the address of the first page of a task instance."""
    return reverse("mapped_log_detail" if ti.map_index >= 0 else "log_detail", args=args_of(ti))


def path_of_task(name: str, dag_id: str, run_id: str, task_id: str) -> str:
    """Return the address of a page of a task in a run."""
    return reverse(name, args=[dag_id, run_id, task_id])
