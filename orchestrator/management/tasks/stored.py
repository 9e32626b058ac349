"""Decides the actions of ``tasks`` about runs that are stored: ``state``, ``states-for-dag-run``, ``failed-deps``."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import TYPE_CHECKING

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.local_arguments import add_bundle, add_output
from orchestrator.management.stored import stored_instance, stored_run

if TYPE_CHECKING:
    from runs.models import TaskInstance


def _instance_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dag_id")
    parser.add_argument("task_id")
    parser.add_argument("logical_date_or_run_id")
    add_bundle(parser)
    parser.add_argument("--map-index", type=int, default=-1, help="index of a mapped task")


def _run_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dag_id")
    parser.add_argument("logical_date_or_run_id")
    add_output(parser)


def _instance(options: Options) -> TaskInstance:
    run = stored_run(options["dag_id"], options["logical_date_or_run_id"])
    return stored_instance(run, options["task_id"], options["map_index"])


def _state(command: AirflowCommand, options: Options) -> None:
    command.stdout.write(str(_instance(options).state))


def _failed_deps(command: AirflowCommand, options: Options) -> None:
    from runs.blockers import blockers_of

    found = blockers_of(_instance(options))
    command.stdout.write(f"Task instance dependencies {'not met:' if found else 'are all met.'}")
    for name, reason in found:
        command.stdout.write(f"{name}: {reason}")


def _states(command: AirflowCommand, options: Options) -> None:
    from runs.models import TaskInstance

    run = stored_run(options["dag_id"], options["logical_date_or_run_id"])
    rows = list(TaskInstance.objects.filter(dag_run=run).order_by("task_id", "map_index"))
    has_indexes = any(row.map_index >= 0 for row in rows)
    command.show([_shown(row, run.logical_date, has_indexes) for row in rows], options)


def _shown(row: TaskInstance, logical_date: datetime | None, has_indexes: bool) -> dict[str, str]:
    shown = {
        "dag_id": row.dag_id,
        "logical_date": _iso(logical_date),
        "task_id": row.task_id,
        "state": row.state or "",
        "start_date": _iso(row.start_date),
        "end_date": _iso(row.end_date),
    }
    index = str(row.map_index) if row.map_index >= 0 else ""
    return shown | ({"map_index": index} if has_indexes else {})


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


STATE = Action("state", "the state of one task in one run", _state, _instance_arguments)
FAILED_DEPS = Action("failed-deps", "what a task instance waits for; `explain` says more", _failed_deps, _instance_arguments)
STATES_FOR_DAG_RUN = Action("states-for-dag-run", "the states of all tasks of a run", _states, _run_arguments)
