"""Decides which file a dag_id belongs to when two files define it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from dags_app.models import Dag, ParsedFile

IsPresent = Callable[[str, str], bool]
"""Whether a file (bundle name, relative path) was there in the newest scan."""

CLASH = "is already defined in"


def clash(dag: Dag | None, bundle_name: str, relative: str, path: str, is_present: IsPresent, queued_at: datetime) -> str | None:
    """Return the import error for a DAG that another file owns, or None if this file may define it.

    The file that registered the dag_id first keeps it while it exists and defines it; the database remembers which that is,
    so restarts change nothing. Of two files that one look found together, the first by bundle and name counts as first.
    A renamed file takes its DAGs along.
    """
    if dag is None or dag.is_stale or (dag.bundle_id, dag.relative_fileloc) == (bundle_name, relative):
        return None
    if dag.created_at >= queued_at and (bundle_name, relative) < (dag.bundle_id, dag.relative_fileloc):
        return None
    if not is_present(dag.bundle_id, dag.relative_fileloc) or not _still_defines(dag):
        return None
    return (
        f"{path}: DAG {dag.dag_id!r} {CLASH} {dag.fileloc} (bundle {dag.bundle_id!r}). "
        "Each dag_id belongs to one file: rename one of the two DAGs or delete one of the files."
    )


def request_reparse_of_former_owner(dag: Dag, bundle_name: str, relative: str, now: datetime) -> None:
    """Ask for another parse of the file that loses a DAG to another one, so that it tells its author."""
    if (dag.bundle_id, dag.relative_fileloc) != (bundle_name, relative):
        files = ParsedFile.objects.filter(bundle_id=dag.bundle_id, relative_fileloc=dag.relative_fileloc)
        files.update(reparse_requested_at=now)


def request_reparse_of_clashing(dag_ids: list[str], now: datetime) -> int:
    """Ask for another parse of the files that were refused one of these ids; returns how many."""
    asked = 0
    for dag_id in dag_ids:
        rows = ParsedFile.objects.filter(bundle__import_errors__stacktrace__contains=f"DAG {dag_id!r} {CLASH} ")
        for row in rows.distinct():
            error = row.bundle.import_errors.filter(filename=row.relative_fileloc).first()
            if error is not None and f"DAG {dag_id!r} {CLASH} " in error.stacktrace:
                asked += ParsedFile.objects.filter(pk=row.pk).update(reparse_requested_at=now)
    return asked


def _still_defines(dag: Dag) -> bool:
    row = ParsedFile.objects.filter(bundle_id=dag.bundle_id, relative_fileloc=dag.relative_fileloc).first()
    return row is None or dag.dag_id in row.dag_ids
