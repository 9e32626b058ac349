"""Decides the actions of ``tasks`` that read DAG files and write nothing: ``test``, ``render``, ``list``."""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.local_arguments import add_bundle, dag_of, date_of, json_of

_DATE = re.compile(r"^\d{4}-\d\d-\d\d")


def _dag_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dag_id")
    add_bundle(parser)


def _task_arguments(parser: ArgumentParser) -> None:
    _dag_arguments(parser)
    parser.add_argument("task_id")
    parser.add_argument("logical_date_or_run_id", nargs="?")
    parser.add_argument("--map-index", type=int, default=-1, help="index of a mapped task")


def _test_arguments(parser: ArgumentParser) -> None:
    _task_arguments(parser)
    parser.add_argument("-t", "--task-params", help="JSON object: params of the run")
    parser.add_argument("--env-vars", help="JSON object: environment variables for parsing and running")
    parser.add_argument("-m", "--post-mortem", action="store_true", help="open the debugger where the task raised")


def _list(command: AirflowCommand, options: Options) -> None:
    command.stdout.write("\n".join(sorted(dag_of(options).task_ids)))


def _test(command: AirflowCommand, options: Options) -> None:
    from orchestrator.local_run.dag_test import show_record
    from orchestrator.local_run.stored_values import store_with_vault
    from orchestrator.sdk.testing.one_task import run_alone
    from orchestrator.sdk.testing.result import author_traceback

    os.environ.update({name: str(value) for name, value in json_of(options["env_vars"], "--env-vars").items()})
    task, store = _task(options), store_with_vault()
    conf = json_of(options["task_params"], "--task-params")
    done = run_alone(task, map_index=options["map_index"], store=store, on_log=show_record, run_conf=conf, **_which_run(options))
    command.stdout.write(f"{done.label}: {done.state}")
    if done.result is not None:
        command.stdout.write(f"return_value: {done.result!r}")
    if done.exception is None or done.state not in ("failed", "up_for_retry"):
        return
    command.stderr.write(author_traceback(done.exception))
    if options["post_mortem"]:
        import pdb

        pdb.post_mortem(done.exception.__traceback__)
    raise SystemExit(1)


def _render(command: AirflowCommand, options: Options) -> None:
    from orchestrator.local_run.stored_values import store_with_vault
    from orchestrator.sdk.testing.one_task import render_alone

    fields = render_alone(_task(options), map_index=options["map_index"], store=store_with_vault(), **_which_run(options))
    for name, value in fields.items():
        command.stdout.write(f"# {'-' * 58}\n# property: {name}\n# {'-' * 58}\n{value}\n")


def _task(options: Options) -> Any:
    dag = dag_of(options)
    task = dag.task_dict.get(options["task_id"])
    if task is None:
        raise CommandError(f"DAG {dag.dag_id!r} has no task {options['task_id']!r}; it has {', '.join(dag.task_ids)}.")
    if task.get_needs_expansion() and options["map_index"] < 0:
        raise CommandError(f"Task {task.task_id!r} is mapped: say which index, with --map-index.")
    return task


def _which_run(options: Options) -> dict[str, Any]:
    given = options["logical_date_or_run_id"]
    if given is None:
        return {"travels": False}
    if _DATE.match(given):
        return {"travels": False, "logical_date": date_of(given)}
    return {"travels": False, "run_id": given}


TEST = Action("test", "run one task in this process, whatever its upstream tasks did", _test, _test_arguments)
RENDER = Action("render", "show the rendered template fields of a task", _render, _task_arguments)
LIST = Action("list", "the tasks of a DAG", _list, _dag_arguments)
