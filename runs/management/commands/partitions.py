"""Decides the command ``partitions``: which runs lose their partition."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from django.core.management.base import CommandError
from django.db import transaction
from django.db.models import Q, QuerySet

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.dags.changing import clear, partition_window
from orchestrator.management.stored import actor, stored_dag, stored_spec

if TYPE_CHECKING:
    from dags_app.models import Dag
    from runs.models import DagRun


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("-d", "--dag-id", required=True)
    parser.add_argument("-r", "--run-id", help="this run")
    parser.add_argument("-k", "--partition-key", help="the runs of this partition")
    parser.add_argument("-s", "--start-date", help="partition dates from here on, in the DAG's time zone")
    parser.add_argument("-e", "--end-date", help="partition dates up to here, inclusive")
    parser.add_argument("--date", metavar="FROM~TO", help="both at once, such as 2026-01-01~2026-01-31")
    parser.add_argument("--clear-task-instances", action="store_true", help="also have the tasks of the runs run again")
    parser.add_argument("--dry-run", action="store_true", help="only say which runs it would be")


def _clear(command: AirflowCommand, options: Options) -> None:
    from runs.clear_selection import ClearRequest, chosen_instances
    from runs.services_partitions import partition_forget

    dag = stored_dag(options["dag_id"])
    runs = list(_runs(dag, options))
    if not runs:
        command.stdout.write(f"No matching DagRuns found for dag_id={dag.pk}.")
        return
    forgotten = cleared = 0
    for run in runs:
        if run.partition_key is not None or run.partition_date is not None:
            forgotten += 1
            date = run.partition_date.isoformat() if run.partition_date else None
            command.stdout.write(
                f"DagRun {run.run_id}: partition_key={run.partition_key!r} -> None, partition_date={date} -> None"
            )
            if not options["dry_run"]:
                with transaction.atomic():
                    partition_forget(run, actor=actor())
        elif not options["clear_task_instances"]:
            command.stdout.write(f"DagRun {run.run_id}: already cleared, skipping.")
        if options["clear_task_instances"]:
            rows = chosen_instances(dag.pk, stored_spec(dag), ClearRequest(run=run))
            cleared += len(rows) if options["dry_run"] else clear(dag, rows, options)
    done, rest = ("Dry run: would clear", " No changes written.") if options["dry_run"] else ("Cleared", "")
    if options["clear_task_instances"]:
        command.stdout.write(f"{done} task instances on {len(runs)} DagRun(s) ({cleared} task instance(s)).")
    command.stdout.write(f"{done} partition fields on {forgotten} DagRun(s).{rest}")


def _runs(dag: Dag, options: Options) -> QuerySet[DagRun]:
    from runs.models import DagRun

    if options["date"] and (options["start_date"] or options["end_date"]):
        raise CommandError("--date cannot go together with --start-date and --end-date.")
    start, end = _both(options["date"]) if options["date"] else (options["start_date"], options["end_date"])
    if (options["run_id"] is not None) + (options["partition_key"] is not None) + bool(start or end) != 1:
        raise CommandError("Give exactly one of --run-id, --partition-key, and a range (--start-date/--end-date or --date).")
    runs = DagRun.objects.filter(dag_id=dag.pk).order_by("partition_date", "run_id")
    if options["run_id"] is not None:
        return runs.filter(run_id=options["run_id"])
    if options["partition_key"] is not None:
        return runs.filter(partition_key=options["partition_key"])
    return runs.filter(Q(**partition_window(dag, start, end)))


def _both(text: str) -> tuple[str, str]:
    start, _, end = (part.strip() for part in text.partition("~"))
    if not start or not end:
        raise CommandError(f"--date {text!r} must be written like 2026-01-01~2026-01-31.")
    return start, end


class Command(AirflowCommand):
    """With Airflow's flags and sentences."""

    help = "Look after the partitions of runs."
    actions = (Action("clear", "take key and date of the partition from runs", _clear, _arguments),)
