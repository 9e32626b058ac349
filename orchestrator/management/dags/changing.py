"""Decides the actions ``dags delete``, ``dags clear`` and ``dags reserialize``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from django.core.management.base import CommandError
from django.db import transaction

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.local_arguments import add_bundle, add_yes
from orchestrator.management.progress import Progress
from orchestrator.management.stored import actor, local_instant, stored_dag, stored_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dags_app.models import Dag
    from runs.models import DagRun, TaskInstance


def _delete_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dag_id")
    add_yes(parser)


def _delete(command: AirflowCommand, options: Options) -> None:
    from accounts.services import audit_write
    from runs.models import DagRun
    from runs.services_dag_delete import DagBusyError, dag_delete

    dag_id = stored_dag(options["dag_id"]).pk
    number = DagRun.objects.filter(dag_id=dag_id).count()
    command.ask(f"This deletes DAG {dag_id} with its versions and its {number} runs. Go on?", options)
    try:
        with transaction.atomic():
            dag_delete(dag_id)
            audit_write("delete_dag", actor=actor(), dag_id=dag_id)
    except DagBusyError as error:
        raise CommandError(f"{error}. Wait for them, or mark them as failed.") from error
    command.stdout.write(
        f"DAG {dag_id} and {number} runs were deleted. A file that still defines it brings it back, without runs."
    )


def _clear_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dag_id")
    parser.add_argument("--run-id", help="this run")
    parser.add_argument("--partition-key", help="the runs of this partition")
    parser.add_argument("--partition-date-start", help="runs with a partition date from here on, in the DAG's time zone")
    parser.add_argument("--partition-date-end", help="runs with a partition date up to here, inclusive")
    parser.add_argument("-f", "--only-failed", action="store_true", help="only tasks that failed")
    parser.add_argument("-r", "--only-running", action="store_true", help="only tasks that run")
    add_yes(parser)


def _clear(command: AirflowCommand, options: Options) -> None:
    from runs.clear_selection import ClearRequest, chosen_instances

    dag = stored_dag(options["dag_id"])
    runs = _runs(dag, options)
    if not runs:
        command.stdout.write("No matching Dag runs found.")
        return
    names = "\n".join(f"  {run.run_id}  partition_key={run.partition_key}" for run in runs[:50])
    command.ask(f"{len(runs)} runs of {dag.pk} are to be cleared:\n{names}\nGo on?", options)
    states = {name: options[name] for name in ("only_failed", "only_running")}
    cleared = 0
    with Progress("runs cleared", len(runs)) as progress:
        for run in progress.over(runs, lambda run: run.run_id):
            cleared += clear(dag, chosen_instances(dag.pk, stored_spec(dag), ClearRequest(run=run, **states)), options)
    command.stdout.write(f"Cleared {cleared} task instance(s) across {len(runs)} Dag run(s).")


def _runs(dag: Dag, options: Options) -> Sequence[DagRun]:
    from runs.models import DagRun

    bounds = [options["partition_date_start"], options["partition_date_end"]]
    if (options["run_id"] is not None) + (options["partition_key"] is not None) + any(bounds) != 1:
        raise CommandError("Give exactly one of --run-id, --partition-key and --partition-date-start/--partition-date-end.")
    runs = DagRun.objects.filter(dag_id=dag.pk).order_by("partition_date", "run_id")
    if options["run_id"] is not None:
        return list(runs.filter(run_id=options["run_id"]))
    if options["partition_key"] is not None:
        return list(runs.filter(partition_key=options["partition_key"]))
    return list(runs.filter(**partition_window(dag, *bounds)))


def partition_window(dag: Dag, start: str | None, end: str | None) -> dict[str, object]:
    """Return the condition for runs with a partition date from ``start`` to ``end``, both included, in the DAG's time zone."""
    zone = stored_spec(dag).timezone
    first, last = local_instant(start, zone), local_instant(end, zone)
    if first and last and first > last:
        raise CommandError(f"The window begins on {start}, after its end on {end}.")
    bounds = {"partition_date__gte": first, "partition_date__lte": last}
    return {"partition_date__isnull": False} | {name: value for name, value in bounds.items() if value is not None}


def clear(dag: Dag, rows: Sequence[TaskInstance], options: Options) -> int:
    """Have task instances run again, in a transaction of their own; returns how many."""
    from accounts.services import audit_write
    from runs.rerun_versions import VersionUnavailableError, runs_on_latest
    from runs.services_clear import ClearOptions, instances_clear

    if not rows:
        return 0
    try:
        with transaction.atomic():
            instances_clear(rows, ClearOptions(actor=actor(), latest=runs_on_latest(dag, None)))
            asked = {name: value for name, value in options.items() if name.startswith("only_") and value}
            audit_write("post_clear_task_instances", actor=actor(), extra=asked | {"task_instances": len(rows)}, dag_id=dag.pk)
    except VersionUnavailableError as error:
        raise CommandError(str(error)) from error
    return len(rows)


def _reserialize(command: AirflowCommand, options: Options) -> None:
    from dags_app.models import ParsedFile, ParseImportError
    from dags_app.processor.service import build_processor, run_passes
    from orchestrator.config import ConfigurationError
    from orchestrator.kernel.clock import utcnow

    names = options["bundle_name"] or []
    try:
        processor = build_processor(names)
    except ConfigurationError as error:
        raise CommandError(str(error)) from error
    files = ParsedFile.objects.filter(bundle__in=list(processor.bundles))
    files.update(reparse_requested_at=utcnow())
    try:
        with Progress("files parsed") as progress:
            run_passes(processor, 1, lambda number: progress.add(number))
    finally:
        processor.client.close()
    wrong = ParseImportError.objects.filter(bundle__in=list(processor.bundles)).count()
    command.stdout.write(f"{processor.parsed_files} files parsed, {wrong} with errors")
    if wrong:
        command.stderr.write("See `dags list-import-errors`.")


DELETE = Action("delete", "delete a DAG with its versions and runs", _delete, _delete_arguments)
CLEAR = Action("clear", "have runs of a DAG run again", _clear, _clear_arguments)
RESERIALIZE = Action("reserialize", "parse all DAG files now and store what they define", _reserialize, add_bundle)
