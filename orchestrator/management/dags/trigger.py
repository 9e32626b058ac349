"""Decides the action ``dags trigger``: a run is queued as it would be by the REST API."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import CommandError
from django.db import transaction

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.local_arguments import add_output, date_of, json_of
from orchestrator.management.stored import actor, stored_dag

COLUMNS = (
    "conf",
    "dag_id",
    "dag_run_id",
    "data_interval_start",
    "data_interval_end",
    "end_date",
    "last_scheduling_decision",
    "logical_date",
    "run_type",
    "start_date",
    "state",
    "triggering_user_name",
)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dag_id")
    parser.add_argument("-r", "--run-id", help="id of the run; made from the time without it")
    parser.add_argument("-c", "--conf", help="JSON object: the configuration of the run")
    parser.add_argument("-l", "--logical-date", help="ISO date or time; a run without one by default")
    parser.add_argument("--no-replace-microseconds", action="store_true", help="keep the microseconds of --logical-date")
    add_output(parser)


def _run(command: AirflowCommand, options: Options) -> None:
    from accounts.services import audit_write
    from runs.run_ids import LONGEST_RUN_ID, run_id_problem
    from runs.services import DagUnavailableError, ParamsInvalidError, RunExistsError, run_trigger

    dag, who, date = stored_dag(options["dag_id"]), actor(), date_of(options["logical_date"])
    if date is not None and not options["no_replace_microseconds"]:
        date = date.replace(microsecond=0)
    conf, run_id = json_of(options["conf"], "--conf"), options["run_id"]
    if run_id and (problem := run_id_problem(run_id)):
        raise CommandError(problem)
    if run_id and len(run_id) > LONGEST_RUN_ID:
        raise CommandError(f"--run-id has {len(run_id)} characters; at most {LONGEST_RUN_ID} are allowed.")
    try:
        with transaction.atomic():
            order = {"run_id": run_id, "logical_date": date, "conf": conf}
            run = run_trigger(dag=dag, **order, triggered_by="cli", user_name=who)
            ids = {"dag_id": dag.pk, "run_id": run.run_id, "logical_date": date}
            audit_write("trigger_dag_run", actor=who, extra={"conf": conf}, **ids)
    except (RunExistsError, DagUnavailableError, ParamsInvalidError, ValueError) as error:
        raise CommandError(str(error)) from error
    row = {"dag_run_id": run.run_id, "last_scheduling_decision": None}
    command.show([{name: row[name] if name in row else getattr(run, name) for name in COLUMNS}], options)
    if dag.is_paused:
        command.stderr.write(f"DAG {dag.pk} is paused: the run waits until `dags unpause {dag.pk}`.")


TRIGGER = Action("trigger", "queue a run of a DAG", _run, _arguments)
