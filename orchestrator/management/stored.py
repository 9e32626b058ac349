"""Decides which rows a command means by the names that a person gave, and what is said where there are none."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.management.base import CommandError

from orchestrator.management.local_arguments import date_of
from orchestrator.sdk.definitions.timetables.instants import zone_of

if TYPE_CHECKING:
    from dags_app.models import Dag
    from orchestrator.sdk.serialization.spec import DagSpec
    from runs.models import DagRun, TaskInstance


def actor() -> str:
    """Return who acts: whoever may open a shell here, by the name of the system."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return "cli"


def stored_dag(dag_id: str) -> Dag:
    """Return the DAG. Raises ``CommandError`` where the database has none."""
    from dags_app.models import Dag

    dag = Dag.objects.filter(pk=dag_id).first()
    if dag is None:
        raise CommandError(f"There is no DAG {dag_id!r} in the database; see `dags list` and `dags list-import-errors`.")
    return dag


def stored_spec(dag: Dag) -> DagSpec:
    """Return the newest version of a DAG. Raises ``CommandError`` where it has none that can be read."""
    from dags_app.selectors import SpecUnreadableError, spec_of

    if dag.latest_version_id is None:
        raise CommandError(f"DAG {dag.pk!r} has no version yet: wait for the DAG processor, or run `dags reserialize`.")
    try:
        return spec_of(dag.latest_version_id)
    except SpecUnreadableError as error:
        raise CommandError(f"{error}. `dags reserialize` reads its file again.") from None


def run_or_none(dag_id: str, text: str) -> DagRun | None:
    """Return the run with this id, else with this logical date."""
    from runs.models import DagRun

    runs = DagRun.objects.filter(dag_id=dag_id)
    found = runs.filter(run_id=text).first()
    if found is not None:
        return found
    try:
        date = date_of(text)
    except CommandError:
        return None
    return runs.filter(logical_date=date).first()


def stored_run(dag_id: str, text: str) -> DagRun:
    """Return the run with this id, else with this logical date. Raises ``CommandError`` where there is none."""
    found = run_or_none(stored_dag(dag_id).pk, text)
    if found is None:
        raise CommandError(f"DAG {dag_id!r} has no run with the id or logical date {text!r}; see `dags list-runs {dag_id}`.")
    return found


def stored_instance(run: DagRun, task_id: str, map_index: int) -> TaskInstance:
    """Return a task instance of a run, a new one for a task whose run has not begun.

    Raises ``CommandError`` that names the map indexes or tasks that there are.
    """
    from runs.models import TaskInstance

    rows = TaskInstance.objects.select_related("dag_run__dag").filter(dag_run=run)
    found = rows.filter(task_id=task_id, map_index=map_index).first()
    if found is not None:
        return found
    tasks = list(rows.order_by("task_id").values_list("task_id", flat=True).distinct()) or _tasks_to_come(run)
    if map_index < 0 and task_id in tasks and not rows.exists():
        return TaskInstance(dag_run=run, dag_id=run.dag_id, run_id=run.run_id, task_id=task_id)
    indexes = list(rows.filter(task_id=task_id).order_by("map_index").values_list("map_index", flat=True)[:5])
    if indexes:
        shown = ", ".join(map(str, indexes))
        raise CommandError(
            f"Task {task_id!r} has no map index {map_index} in run {run.run_id!r}: say --map-index, such as {shown}."
        )
    raise CommandError(f"Run {run.run_id!r} of DAG {run.dag_id!r} has no task {task_id!r}; it has {', '.join(tasks[:20])}.")


def _tasks_to_come(run: DagRun) -> list[str]:
    """Return the tasks that a run will have: its task instances are made when it begins."""
    from dags_app.selectors import SpecUnreadableError
    from runs.clear_selection import spec_for_run

    try:
        return sorted(task.task_id for task in spec_for_run(run).tasks)
    except SpecUnreadableError:
        return []


def local_instant(text: str | None, zone: str) -> datetime | None:
    """Return the wall-clock time of an argument as an instant of a zone, None for none; an offset in the text is left out."""
    found = date_of(text)
    return None if found is None else found.replace(tzinfo=zone_of(zone))
