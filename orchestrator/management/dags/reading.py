"""Decides the actions of ``dags`` that read one DAG: ``details``, ``state``, ``next-execution``, ``list-runs``."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.local_arguments import add_output, date_of
from orchestrator.management.stored import run_or_none, stored_dag

if TYPE_CHECKING:
    from dags_app.models import Dag
    from orchestrator.sdk.definitions.timetables import DagRunInfo

PLAIN_FIELDS = ("logical_date", "data_interval.start", "data_interval.end", "run_after")
PARTITION_FIELDS = ("partition_key", "partition_date", "run_after")
FIELDS = (*PLAIN_FIELDS[:3], *PARTITION_FIELDS)
RUN_STATES = ("queued", "running", "success", "failed")


def _dag(parser: ArgumentParser) -> None:
    parser.add_argument("dag_id")


def _details_arguments(parser: ArgumentParser) -> None:
    _dag(parser)
    add_output(parser)


def _details(command: AirflowCommand, options: Options) -> None:
    from dags_app.api.schemas import DAG

    found = DAG.of(stored_dag(options["dag_id"]))
    if options["output"] in ("json", "yaml"):
        command.show([found], options)
    else:
        command.show([{"property_name": name, "property_value": value} for name, value in found.items()], options)


def _state_arguments(parser: ArgumentParser) -> None:
    _dag(parser)
    parser.add_argument("logical_date_or_run_id")


def _state(command: AirflowCommand, options: Options) -> None:
    import json

    run = run_or_none(stored_dag(options["dag_id"]).pk, options["logical_date_or_run_id"])
    if run is None:
        command.stdout.write("None")
        return
    command.stdout.write(f"{run.state}, {json.dumps(run.conf)}" if run.conf else run.state)


def _next_arguments(parser: ArgumentParser) -> None:
    _dag(parser)
    parser.add_argument("-n", "--num-executions", type=int, default=1, help="how many")
    parser.add_argument("--field", choices=FIELDS, help="print this of each, instead of the logical date or partition key")
    parser.add_argument("--table", action="store_true", help="print all that is known of each")


def _next(command: AirflowCommand, options: Options) -> None:
    from dags_app.api.schemas import is_partitioned

    if options["table"] and options["field"]:
        raise CommandError("--table and --field cannot go together: give one of them.")
    dag = stored_dag(options["dag_id"])
    if dag.is_paused:
        command.stderr.write("[INFO] Please be reminded this DAG is PAUSED now.")
    infos = _upcoming(dag, options["num_executions"])
    if len(infos) < options["num_executions"]:
        command.stderr.write("[WARN] No following schedule can be found. This DAG may have no schedule, or ended.")
    if options["table"]:
        names = PARTITION_FIELDS if is_partitioned(dag) else PLAIN_FIELDS
        command.show([{name: _field(info, name) for name in names} for info in infos], {"output": "table"})
        return
    field = options["field"] or ("partition_key" if is_partitioned(dag) else "logical_date")
    for info in infos:
        value = _field(info, field)
        command.stdout.write(value.isoformat() if isinstance(value, datetime) else str(value))
    if len(infos) < options["num_executions"]:
        command.stdout.write("None")


def _upcoming(dag: Dag, number: int) -> list[DagRunInfo]:
    from dags_app.selectors import SpecUnreadableError
    from dags_app.upcoming import upcoming_runs

    if number < 1:
        raise CommandError(f"--num-executions is {number}; it must be at least 1.")
    try:
        return upcoming_runs(dag, number)
    except (SpecUnreadableError, ValueError) as error:
        raise CommandError(str(error)) from error


def _field(info: DagRunInfo, name: str) -> Any:
    """Return one fact of a future run; a partitioned run has no data interval."""
    return None if name.startswith("data_interval.") and info.data_interval is None else attrgetter(name)(info)


def _runs_arguments(parser: ArgumentParser) -> None:
    _dag(parser)
    parser.add_argument("--state", choices=RUN_STATES, type=str.lower, help="only runs in this state")
    parser.add_argument("--no-backfill", action="store_true", help="leave the runs of backfills out")
    parser.add_argument("-s", "--start-date", help="only logical dates from here on")
    parser.add_argument("-e", "--end-date", help="only logical dates up to here, inclusive")
    add_output(parser)


def _runs(command: AirflowCommand, options: Options) -> None:
    from runs.models import DagRun
    from runs.states import DagRunType

    runs = DagRun.objects.filter(dag_id=stored_dag(options["dag_id"]).pk).order_by("-run_after", "-pk")
    bounds = {"state": options["state"], "logical_date__gte": date_of(options["start_date"])}
    bounds["logical_date__lte"] = date_of(options["end_date"])
    runs = runs.filter(**{name: value for name, value in bounds.items() if value is not None})
    if options["no_backfill"]:
        runs = runs.exclude(run_type=DagRunType.BACKFILL)
    names = ("dag_id", "run_id", "state")
    dates = ("run_after", "logical_date", "start_date", "end_date")
    rows = []
    for row in runs.values(*names, *dates):
        shown = {name: row[name].isoformat() if row[name] else "" for name in dates}
        rows.append({name: row[name] for name in names} | shown)
    command.show(rows, options)


DETAILS = Action("details", "what is stored of a DAG", _details, _details_arguments)
STATE = Action("state", "the state of a run, and its conf", _state, _state_arguments)
NEXT_EXECUTION = Action("next-execution", "the next runs of a DAG, one per line", _next, _next_arguments)
LIST_RUNS = Action("list-runs", "the runs of a DAG, newest first", _runs, _runs_arguments)
