"""Decides the action ``tasks clear``: which task instances of which DAGs it means."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from typing import TYPE_CHECKING

from django.core.management.base import CommandError

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.dags.changing import clear
from orchestrator.management.local_arguments import add_bundle, add_yes, date_of
from orchestrator.management.progress import Progress
from orchestrator.management.stored import stored_dag, stored_spec

if TYPE_CHECKING:
    from dags_app.models import Dag
    from runs.models import TaskInstance

SHOWN = 20


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dag_id")
    add_bundle(parser)
    parser.add_argument("-R", "--dag-regex", action="store_true", help="dag_id is a pattern: all DAGs in whose id it is found")
    parser.add_argument("-t", "--task-regex", help="only tasks in whose id this pattern is found")
    parser.add_argument("-d", "--downstream", action="store_true", help="also the tasks downstream of them")
    parser.add_argument("-u", "--upstream", action="store_true", help="also the tasks upstream of them")
    parser.add_argument("-s", "--start-date", help="only runs with a logical date from here on")
    parser.add_argument("-e", "--end-date", help="only runs with a logical date up to here, inclusive")
    parser.add_argument("-f", "--only-failed", action="store_true", help="only tasks that failed")
    parser.add_argument("-r", "--only-running", action="store_true", help="only tasks that run")
    add_yes(parser)


def _run(command: AirflowCommand, options: Options) -> None:
    found = {dag: _chosen(dag, options) for dag in _dags(options)}
    rows = [row for some in found.values() for row in some]
    if not rows:
        command.stdout.write("No task instance fits; nothing was cleared.")
        return
    names = "\n".join(f"  {row}" for row in rows[:SHOWN])
    more = f"\n  and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    command.ask(f"{len(rows)} task instances are to be cleared:\n{names}{more}\nGo on?", options)
    with Progress("task instances cleared", len(rows)) as progress:
        for dag, some in found.items():
            progress.add(clear(dag, some, options), dag.pk)
    command.stdout.write(f"{len(rows)} task instances cleared")


def _dags(options: Options) -> list[Dag]:
    from dags_app.models import Dag

    dags = Dag.objects.active()
    if options["bundle_name"]:
        dags = dags.filter(bundle__in=options["bundle_name"])
    if not options["dag_regex"]:
        dag = stored_dag(options["dag_id"])
        if options["bundle_name"] and dag.bundle_id not in options["bundle_name"]:
            raise CommandError(f"DAG {dag.pk!r} is in the bundle {dag.bundle_id!r}, not in {', '.join(options['bundle_name'])}.")
        return [dag]
    wanted = _pattern(options["dag_id"], "dag_id")
    found = [dag for dag in dags.order_by("pk") if wanted.search(dag.pk)]
    if not found:
        raise CommandError(f"No DAG has an id that fits {options['dag_id']!r}; see `dags list`.")
    return found


def _chosen(dag: Dag, options: Options) -> list[TaskInstance]:
    from runs.clear_selection import ClearRequest, chosen_instances

    spec, markers = stored_spec(dag), None
    if options["task_regex"]:
        wanted = _pattern(options["task_regex"], "--task-regex")
        markers = tuple(task.task_id for task in spec.tasks if wanted.search(task.task_id))
    request = ClearRequest(
        markers=markers,
        start=date_of(options["start_date"]),
        end=date_of(options["end_date"]),
        upstream=options["upstream"],
        downstream=options["downstream"],
        only_failed=options["only_failed"],
        only_running=options["only_running"],
    )
    return chosen_instances(dag.pk, spec, request)


def _pattern(text: str, name: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise CommandError(f"{name} {text!r} is no regular expression: {error}") from None


CLEAR = Action("clear", "have tasks run again", _run, _arguments)
