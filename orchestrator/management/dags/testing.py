"""Decides the action ``dags test``: one run in this process."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.dags.drawing import draw
from orchestrator.management.local_arguments import add_bundle, dag_of, date_of, json_of


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dag_id")
    parser.add_argument("logical_date", nargs="?")
    add_bundle(parser)
    parser.add_argument("-c", "--conf", help="JSON object: the configuration of the run")
    parser.add_argument("-f", "--dagfile-path", help="the DAG file")
    parser.add_argument("--mark-success-pattern", help="regular expression of task ids that succeed without running")
    parser.add_argument("--save-dagrun", metavar="FILE", help="write the run as a graph: .dot, or a picture with Graphviz")
    parser.add_argument("--show-dagrun", action="store_true", help="print the run as a graph in the DOT language")
    parser.add_argument("--imgcat-dagrun", action="store_true", help="show the run as a picture with imgcat")
    parser.add_argument("--use-executor", action="store_true", help="taken for compatibility; tasks run in this process")


def _run(command: AirflowCommand, options: Options) -> None:
    from orchestrator.local_run.dag_test import dag_test
    from orchestrator.local_run.dot import as_dot
    from orchestrator.local_run.people import NoAnswerError
    from orchestrator.local_run.stored_values import store_with_vault
    from orchestrator.sdk.serialization.encode import encode_dag

    date = date_of(options["logical_date"])
    order: dict[str, Any] = {} if date is None else {"logical_date": date}
    order |= {"run_conf": json_of(options["conf"], "--conf"), "mark_success_pattern": options["mark_success_pattern"]}
    order |= {"conn_file_path": None, "variable_file_path": None, "use_executor": options["use_executor"]}
    dag = dag_of(options)
    try:
        result = dag_test(dag, **order, store=store_with_vault())
    except NoAnswerError as error:
        raise CommandError(str(error)) from None
    if options["show_dagrun"] or options["save_dagrun"] or options["imgcat_dagrun"]:
        dot = as_dot(encode_dag(dag), {item.task_id: item.state for item in result.tasks})
        draw(command, dot, {"save": options["save_dagrun"], "imgcat": options["imgcat_dagrun"]})
    if not result.ok:
        raise SystemExit(1)


TEST = Action("test", "run one DAG run in this process, without database or services", _run, _arguments)
