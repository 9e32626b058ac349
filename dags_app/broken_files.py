"""Decides what the page of import errors says of each broken file: where it breaks, since when, and what stays in use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from dags_app.api.import_errors import LIST, ORDER
from dags_app.models import Dag, ParsedFile
from orchestrator.rest.params import matching, params
from orchestrator.ui.lists import Column, Filter, ListSpec

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_LATER_LINE = re.compile(r"\bline (\d+)\b")


def attach(rows: Sequence[Any]) -> None:
    """Load the last parses and the DAGs of a page of broken files, by two queries."""
    parsed = {(file.bundle_id, file.relative_fileloc): file for file in _of(ParsedFile, rows, "relative_fileloc")}
    dags: dict[tuple[str, str], list[Dag]] = {}
    for dag in _of(Dag, rows, "relative_fileloc"):
        dags.setdefault((str(dag.bundle_id), dag.relative_fileloc), []).append(dag)
    for row in rows:
        key = (row.bundle_id, row.filename)
        row.file = parsed.get(key)
        row.dags = sorted(dags.get(key, ()), key=lambda dag: dag.dag_id)
        row.line = line_of(row.stacktrace, row.filename)
        row.message = message_of(row.stacktrace)


def _of(model: Any, rows: Sequence[Any], name: str) -> Any:
    places = [Q(bundle=row.bundle_id, **{name: row.filename}) for row in rows]
    return model.objects.filter(reduce(or_, places)) if places else model.objects.none()


def line_of(trace: str, filename: str) -> int | None:
    """Return the line of the file in which it breaks: of the last frame in it, or where the parser stopped."""
    frames = [int(line) for path, line in _FRAME.findall(trace) if path.endswith(filename)]
    if frames:
        return frames[-1]
    found = _LATER_LINE.search(message_of(trace))
    return int(found[1]) if found else None


def message_of(trace: str) -> str:
    """Return what a traceback ends with: the exception and its text."""
    lines = [line for line in trace.strip().splitlines() if line.strip()]
    ends = [line for line in lines if not line.startswith((" ", "\t"))]
    return (ends or lines or [""])[-1].strip()


ERRORS = ListSpec(
    name="import_errors",
    params=params(*LIST.items, *matching("stacktrace", "stacktrace")),
    order=ORDER,
    columns=(
        Column("filename", "File", "filename"),
        Column("bundle", "Bundle", "bundle_name", text=lambda row: row.bundle_id),
        Column("line", "Line"),
        Column("message", "Error"),
        Column("timestamp", "Seen", "timestamp"),
    ),
    filters=(
        Filter("filename_pattern", "File", "search"),
        Filter("stacktrace_pattern", "Traceback contains"),
        Filter("bundle_name", "Bundle", hint="exactly"),
    ),
    default_order=("-timestamp",),
    noun="import error",
    is_table=False,
)
