"""Decides what pages show of the audit log: which rows of a DAG, a run or a task instance, and what they changed, readably."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.event_logs import LIST, ORDER
from accounts.models import AuditLog
from dags_app.api.queries import shown_names
from orchestrator.rest.params import Param, equal, params
from orchestrator.ui.list_page import list_page
from orchestrator.ui.lists import Column, Filter, ListSpec

LONGEST_VALUE = 300
# What columns or the place of the row say already.
_SAID = frozenset({"dag_id", "dag_run_id", "run_id", "task_id", "map_index", "bulk_action", "method", "note"})


def events_of(dag_id: str, run_id: str = "", task_id: str = "", map_index: int | None = None) -> QuerySet[AuditLog]:
    """Return the audit rows of a DAG, of one of its runs, or of a task in it; of one index with what was done to all of them."""
    rows = AuditLog.objects.filter(dag_id=dag_id)
    if run_id:
        rows = rows.filter(run_id=run_id)
    if task_id:
        rows = rows.filter(task_id=task_id)
    if map_index is not None and map_index >= 0:
        rows = rows.filter(Q(map_index=map_index) | Q(map_index=None) | Q(map_index=-1))
    return rows


def events_page(
    request: HttpRequest, template: str, place: Mapping[str, Any], context: dict[str, Any] | None = None
) -> HttpResponseBase:
    """Answer with the audit log of a place; the template includes ``runs/_events.html`` where the list is to be.

    Args:
        place: the parameters of ``events_of``.
    """
    return list_page(request, template, _narrower(place), events_of(**place), attach=attach, context=context)


def attach(rows: Sequence[Any]) -> None:
    """Load the names of DAGs, and say what each row changed."""
    names = shown_names(row.dag_id for row in rows if row.dag_id)
    for row in rows:
        row.shown_dag_name = names.get(row.dag_id, "")
        row.changes = changes(row.before, row.after)
        row.facts = facts(row.extra)
        row.is_mapped = row.map_index is not None and row.map_index >= 0


def changes(before: Any, after: Any) -> list[tuple[str, str, str]]:
    """Return (name, text before, text after) of what differs; a name is empty where a value is no object."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        if isinstance(before or after, Mapping):
            return [(name, "", text_of(value)) for name, value in (before or after).items()]
        return [("", text_of(before), text_of(after))] if before is not None or after is not None else []
    names = [*before, *(name for name in after if name not in before)]
    found = [(name, before.get(name), after.get(name)) for name in names]
    return [(name, text_of(old), text_of(new)) for name, old, new in found if old != new]


def facts(extra: str | None) -> list[tuple[str, str]]:
    """Return (name, text) of what was asked; the text as it is where it is no JSON object."""
    if not extra:
        return []
    try:
        found = json.loads(extra)
    except ValueError:
        return [("", extra[:LONGEST_VALUE])]
    if not isinstance(found, dict):
        return [("", text_of(found))]
    return [(name.replace("_", " "), text_of(value)) for name, value in _flat(found) if value not in (None, "", [], {})]


def _flat(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((name, value) for name, value in found.items() if name not in _SAID)


def text_of(value: Any) -> str:
    """Return a JSON value as people read it, not longer than a line or two."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _told(pairs: Sequence[tuple[str, ...]]) -> str:
    return "; ".join(": ".join((pair[0], " → ".join(pair[1:])) if pair[0] else (" → ".join(pair[1:]),)) for pair in pairs)


def _narrower(place: Mapping[str, Any]) -> ListSpec:
    """The list of a place: without the columns and filters that would say the same in each row."""
    said = {"dag_id", "dag_id_pattern"} | ({"run_id", "run_id_pattern"} if place.get("run_id") else set())
    said |= {"task_id", "task_id_pattern"} if place.get("task_id") else set()
    said |= {"map_index"} if place.get("map_index") is not None else set()
    columns = tuple(column for column in EVENTS.columns if column.name not in said)
    filters = tuple(replace(item, kind="search") if item.name == "event_pattern" else item for item in EVENTS.filters)
    shown = [item for item in filters if item.name not in said]
    return replace(EVENTS, name="events_of_place", columns=columns, filters=tuple(shown))


EVENTS = ListSpec(
    name="events",
    params=params(*LIST.items, Param("cursor"), equal("request_id", "request_id"), equal("token_name", "token_name")),
    order=ORDER,
    columns=(
        Column("when", "When", "when"),
        Column("event", "Event", "event"),
        Column("owner", "By", "owner"),
        Column("dag_id", "DAG", "dag_id"),
        Column("run_id", "Run", "run_id"),
        Column("task_id", "Task", "task_id"),
        Column("map_index", "Index"),
        Column("try_number", "Try", number=True, hidden=True),
        Column("changes", "What changed", text=lambda row: _told(row.changes)),
        Column("reason", "Reason"),
        Column("extra", "Asked for"),
        Column("token_name", "Token", hidden=True),
        Column("request_id", "Request", hidden=True),
    ),
    filters=(
        Filter("dag_id_pattern", "DAG id", "search"),
        Filter("event_pattern", "Event", hint="part of it, such as clear"),
        Filter("owner_pattern", "By"),
        Filter("after", "From", "date"),
        Filter("before", "To", "date"),
        Filter("run_id_pattern", "Run id"),
        Filter("task_id_pattern", "Task id"),
        Filter("map_index", "Map index", "number"),
        Filter("try_number", "Try", "number"),
        Filter("request_id", "Request id", hint="exactly"),
    ),
    default_order=("-id",),
    keyset=True,
    noun="event",
)
