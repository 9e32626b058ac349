"""Decides the command line of one DAG file: what ``dag.cli()`` understands."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from orchestrator.local_run.dag_test import show_record
from orchestrator.sdk.testing.one_task import render_alone, run_alone


def main(dag: Any, arguments: Sequence[str] | None = None) -> None:
    """Carry out the command; ends the process with 1 where a run or a task fails, with 2 for a wrong command line."""
    chosen = _parser(dag).parse_args(arguments)
    if chosen.group == "dags":
        failed = not dag.test(**_date(chosen)).ok
    elif chosen.action == "list":
        sys.stdout.write("\n".join(sorted(dag.task_ids)) + "\n")
        failed = False
    elif chosen.action == "render":
        fields = render_alone(dag.get_task(chosen.task_id), map_index=chosen.map_index, **_date(chosen))
        sys.stdout.write("".join(f"{name}: {value}\n" for name, value in fields.items()))
        failed = False
    else:
        task = dag.get_task(chosen.task_id)
        done = run_alone(task, map_index=chosen.map_index, on_log=show_record, travels=False, **_date(chosen))
        sys.stdout.write(f"{done.label}: {done.state}\n")
        failed = done.state in ("failed", "up_for_retry")
    if failed:
        raise SystemExit(1)


def _parser(dag: Any) -> ArgumentParser:
    parser = ArgumentParser(description=f"Run DAG {dag.dag_id} or its tasks in this process.")
    groups = parser.add_subparsers(dest="group", required=True)
    dags = groups.add_parser("dags").add_subparsers(dest="action", required=True)
    dags.add_parser("test", help="run the DAG once").add_argument("logical_date", nargs="?")
    tasks = groups.add_parser("tasks").add_subparsers(dest="action", required=True)
    tasks.add_parser("list", help="the ids of the tasks")
    for name in ("test", "render"):
        action = tasks.add_parser(name)
        action.add_argument("task_id", choices=sorted(dag.task_ids))
        action.add_argument("logical_date", nargs="?")
        action.add_argument("--map-index", type=int, default=-1)
    return parser


def _date(chosen: Any) -> dict[str, Any]:
    return {"logical_date": chosen.logical_date} if chosen.logical_date else {}
