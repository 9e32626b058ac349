"""Decides what the list of XComs shows: small values in the row, of large ones only how large they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db.models import Case, QuerySet, TextField, Value, When

from orchestrator.rest.ordering import Ordering
from orchestrator.rest.params import Param, equal, params
from orchestrator.ui.lists import Column, Filter, ListSpec
from runs.api.queries import attach_to_xcoms
from runs.api.xcoms import LIST, ORDER
from runs.models import XCom
from runs.narrowing import by_dag, by_run

# Bytes up to which a value is read for the list: one may be megabytes.
MOST_BYTES = 2048
LONGEST_LINE = 100
_SEEN = (
    *("id", "dag_run_id", "dag_id", "run_id", "task_id", "map_index", "key", "size", "is_dag_result", "timestamp", "location"),
    *(f"dag_run__{name}" for name in ("id", "dag_id", "run_id", "run_type", "logical_date", "run_after")),
)


def xcoms_shown() -> QuerySet[XCom]:
    """Return XComs with their runs, and with ``small``, the value where it is small."""
    small = Case(When(size__lte=MOST_BYTES, then="value"), default=Value(None), output_field=TextField())
    return XCom.objects.select_related("dag_run").only(*_SEEN).annotate(small=small)


def attach(rows: Sequence[Any]) -> None:
    """Load names for a page of XComs, and say what kind of value each is."""
    attach_to_xcoms(rows)
    for row in rows:
        row.kind, row.line, row.pretty = said(row.small)
        row.is_large = row.small is None and row.size > MOST_BYTES


def said(text: str | None) -> tuple[str, str, str]:
    """Return (kind of value, the value in a line, the value in full where the line does not hold it)."""
    if text is None:
        return "", "", ""
    try:
        value = json.loads(text)
    except ValueError:
        return "text", text[:LONGEST_LINE], text if len(text) > LONGEST_LINE else ""
    line = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    pretty = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    is_whole = len(line) <= LONGEST_LINE and "\n" not in line
    return _kind(value), line if is_whole else f"{line[:LONGEST_LINE]}…", "" if is_whole else pretty


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, list | dict):
        return f"{'list' if isinstance(value, list) else 'object'} of {len(value)}"
    return {str: "text", int: "number", float: "number"}.get(type(value), "nothing")


XCOMS = ListSpec(
    name="xcoms",
    params=params(
        *(item for item in LIST.items if not item.name.startswith(("dag_display_name_", "run_id_"))),
        *(by_dag("dag_display_name", "dag_display_name"), by_dag("dag_id", "dag_id"), by_run()),
        *(Param("cursor"), equal("dag_id", "dag_id")),
    ),
    order=Ordering({**ORDER.names, "id": "id"}, ("-id",)),
    columns=(
        Column("dag", "DAG", text=lambda row: row.dag_id),
        Column("run", "Run", text=lambda row: row.run_id),
        Column("task_id", "Task"),
        Column("map_index", "Index"),
        Column("key", "Key"),
        Column("value", "Value", text=lambda row: row.small),
        Column("kind", "Kind"),
        Column("size", "Bytes", number=True, hidden=True),
        Column("timestamp", "When", "id"),
    ),
    filters=(
        Filter("dag_id_pattern", "DAG id", "search"),
        Filter("dag_display_name_pattern", "DAG name"),
        Filter("xcom_key_pattern", "Key"),
        Filter("task_id_pattern", "Task id"),
        Filter("run_id_pattern", "Run id"),
        Filter("map_index_filter", "Map index", "number"),
        Filter("run_after", "Run after", "dates"),
        Filter("logical_date", "Logical date", "dates"),
    ),
    default_order=("-id",),
    keyset=True,
    noun="XCom",
)
