"""Decides the actions ``dags pause`` and ``dags unpause``: of one DAG, or of all whose ids fit a pattern."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from functools import partial

from django.core.management.base import CommandError
from django.db import transaction

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.local_arguments import add_output, add_yes
from orchestrator.management.stored import actor, stored_dag


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dag_id")
    parser.add_argument("--treat-dag-id-as-regex", action="store_true", help="all DAGs in whose id the pattern is found")
    add_yes(parser)
    add_output(parser)


def _run(is_paused: bool, command: AirflowCommand, options: Options) -> None:
    from dags_app.models import Dag
    from dags_app.pausing import dag_pause

    ids = _fitting(options["dag_id"]) if options["treat_dag_id_as_regex"] else [stored_dag(options["dag_id"]).pk]
    verb, other = ("pause", "unpaused") if is_paused else ("unpause", "paused")
    ids = list(Dag.objects.filter(pk__in=ids).exclude(is_paused=is_paused).order_by("pk").values_list("pk", flat=True))
    if not ids:
        command.stdout.write(f"No {other} DAGs were found")
        return
    if options["treat_dag_id_as_regex"]:
        command.ask(f"{len(ids)} DAGs are to be {verb}d: {', '.join(ids)}. Go on?", options)
    with transaction.atomic():
        for dag_id in ids:
            dag_pause(dag_id, is_paused, actor=actor())
    command.show([{"dag_id": dag_id, "is_paused": is_paused} for dag_id in ids], options)


def _fitting(pattern: str) -> list[str]:
    from dags_app.models import Dag

    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise CommandError(f"{pattern!r} is no regular expression: {error}") from None
    found = [dag_id for dag_id in Dag.objects.active().values_list("pk", flat=True) if wanted.search(dag_id)]
    if not found:
        raise CommandError(f"No DAG has an id that fits {pattern!r}; see `dags list`.")
    return found


PAUSE = Action("pause", "switch a DAG off: it gets no new runs", partial(_run, True), _arguments)
UNPAUSE = Action("unpause", "switch a DAG on", partial(_run, False), _arguments)
