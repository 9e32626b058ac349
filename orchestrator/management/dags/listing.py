"""Decides the actions of ``dags`` that look at all DAGs: ``list``, ``list-import-errors``, ``list-jobs``, ``report``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.jobs import JOB_STATES, job_rows
from orchestrator.management.local_arguments import add_bundle, add_output, chosen_columns, folders_of
from orchestrator.management.stored import stored_dag

COLUMNS = ("dag_id", "fileloc", "owners", "is_paused", "bundle_name", "bundle_version")


def _local_arguments(parser: ArgumentParser) -> None:
    add_bundle(parser)
    add_output(parser)
    parser.add_argument("-l", "--local", action="store_true", help="read the files instead of the database")


def _list_arguments(parser: ArgumentParser) -> None:
    _local_arguments(parser)
    parser.add_argument("--columns", help=f"names separated by commas (default: {','.join(COLUMNS)})")


def _list(command: AirflowCommand, options: Options) -> None:
    rows = _local_rows(options) if options["local"] else _stored_rows(options)
    command.show(chosen_columns(rows, options["columns"], COLUMNS), options)


def _stored_rows(options: Options) -> list[dict[str, Any]]:
    from dags_app.api.schemas import DAG
    from dags_app.models import Dag

    dags = Dag.objects.active().order_by("dag_id").prefetch_related("tags")
    if options["bundle_name"]:
        dags = dags.filter(bundle__in=options["bundle_name"])
    return [DAG.of(dag) | {"owner": dag.owners} for dag in dags]


def _local_rows(options: Options) -> list[dict[str, Any]]:
    from orchestrator.sdk.testing.dag_folder import load_folder

    names = ("dag_id", "dag_display_name", "fileloc", "description", "timetable_summary")
    rows = []
    for bundle, folder in folders_of(options).items():
        found = load_folder(folder) if folder.is_dir() else None
        for dag in found.dags.values() if found else ():
            shown = {name: getattr(dag, name) for name in names}
            owners = [word.strip() for word in str(dag.owner or "").split(",") if word.strip()]
            rows.append({**shown, "owners": owners, "owner": dag.owner, "is_paused": None, "is_stale": False})
            rows[-1] |= {"bundle_name": bundle, "bundle_version": None}
    return sorted(rows, key=lambda row: str(row["dag_id"]))


def _errors(command: AirflowCommand, options: Options) -> None:
    rows = _local_errors(options) if options["local"] else _stored_errors(options)
    command.show(rows, options)
    if rows:
        raise SystemExit(1)


def _local_errors(options: Options) -> list[dict[str, Any]]:
    from orchestrator.sdk.testing.dag_folder import load_folder

    rows = []
    for bundle, folder in folders_of(options).items():
        errors = load_folder(folder).import_errors if folder.is_dir() else {}
        rows += [{"bundle_name": bundle, "filepath": file, "error": text} for file, text in errors.items()]
    return rows


def _stored_errors(options: Options) -> list[dict[str, Any]]:
    from dags_app.models import ParseImportError

    found = ParseImportError.objects.order_by("bundle", "filename")
    if options["bundle_name"]:
        found = found.filter(bundle__in=options["bundle_name"])
    rows = found.values_list("bundle", "filename", "stacktrace")
    return [dict(zip(("bundle_name", "filepath", "error"), row, strict=True)) for row in rows]


def _jobs_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("-d", "--dag-id", help="only of this DAG; no part of this platform belongs to one")
    parser.add_argument("--state", choices=JOB_STATES, help="only parts in this state")
    parser.add_argument("--limit", type=int, help="at most so many, the newest")
    add_output(parser)


def _jobs(command: AirflowCommand, options: Options) -> None:
    if options["dag_id"]:
        stored_dag(options["dag_id"])
    rows = [] if options["dag_id"] else job_rows(options["state"], options["limit"])
    command.show(rows, options)


def _report_arguments(parser: ArgumentParser) -> None:
    add_bundle(parser)
    add_output(parser)


def _report(command: AirflowCommand, options: Options) -> None:
    from datetime import timedelta

    from orchestrator.kernel.clock import monotonic
    from orchestrator.management.progress import Progress
    from orchestrator.sdk.execution.host.loading import prepare_import_paths
    from orchestrator.sdk.testing.dag_folder import dag_files, load_folder

    rows = []
    prepare_import_paths([str(folder) for folder in folders_of(options).values()])
    files = [(folder, file) for folder in folders_of(options).values() if folder.is_dir() for file in dag_files(folder)]
    with Progress("files read", len(files)) as progress:
        for folder, file in progress.over(files, lambda item: str(item[1])):
            began = monotonic()
            dags = load_folder(file).dags
            seconds = round(monotonic() - began, 6)
            tasks = sum(len(dag.task_dict) for dag in dags.values())
            shown = {"file": str(file.relative_to(folder)), "duration": timedelta(seconds=seconds)}
            rows.append({**shown, "dag_num": len(dags), "task_num": tasks, "dags": sorted(dags)})
    command.show(sorted(rows, key=lambda row: row["duration"], reverse=True), options)


LIST = Action("list", "all DAGs", _list, _list_arguments)
LIST_IMPORT_ERRORS = Action(
    "list-import-errors", "files that cannot be imported; exit code 1 where there are any", _errors, _local_arguments
)
LIST_JOBS = Action("list-jobs", "the parts of the platform, newest first", _jobs, _jobs_arguments)
REPORT = Action("report", "how long each DAG file takes to import, the slowest first", _report, _report_arguments)
