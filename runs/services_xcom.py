"""Decides how values that tasks pass on are written and deleted."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from orchestrator.sdk.execution import xcom_objects
from runs.models import XCom


@dataclass(frozen=True, slots=True)
class XComValue:
    """One value for one task instance of one run; ``value`` is anything JSON can say.

    ``mapped_length`` is how many indexes a task mapped over it gets, where the sender knows it better than the value
    shows: a value kept outside the database is only a reference here, with its ``location`` in the XCom store and the
    ``size`` in bytes of what is there.
    """

    dag_run_id: int
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    key: str
    value: Any
    mapped_length: int | None = None
    location: str = ""
    size: int | None = None
    is_dag_result: bool = False


def xcom_set(values: Sequence[XComValue], *, now: datetime) -> None:
    """Write values, each over an earlier one of the same key; of two for one key the later counts.

    One query, and one more for each large value: the file of an earlier large one goes after the commit.
    """
    latest = {(v.dag_run_id, v.task_id, v.map_index, v.key): v for v in values}
    for value in values:
        if value.location:
            _drop_objects(_rows_of(value.dag_run_id, value.task_id, value.key, value.map_index), keep=value.location)
    XCom.objects.bulk_create(
        [_row(value, now) for value in latest.values()],
        update_conflicts=True,
        unique_fields=["dag_run", "task_id", "map_index", "key"],
        update_fields=["value", "size", "mapped_length", "is_dag_result", "location", "timestamp"],
    )


def xcom_delete(dag_run_id: int, task_id: str, key: str, map_index: int = -1) -> int:
    """Delete one value; returns 0 where there was none."""
    found = _rows_of(dag_run_id, task_id, key, map_index)
    _drop_objects(found)
    return found.delete()[0]


def xcom_objects_delete(dag_id: str, run_id: str | None = None) -> None:
    """Delete the large XComs of a run that is deleted, or of all runs of its DAG, after the commit."""
    transaction.on_commit(partial(xcom_objects.remove_run, dag_id, run_id))


def _rows_of(dag_run_id: int, task_id: str, key: str, map_index: int) -> QuerySet[XCom]:
    return XCom.objects.filter(dag_run_id=dag_run_id, task_id=task_id, key=key, map_index=map_index)


def _drop_objects(rows: QuerySet[XCom], keep: str = "") -> None:
    """Delete the files of these XComs once the change is committed."""
    for location in rows.exclude(location="").values_list("location", flat=True):
        if location != keep:
            transaction.on_commit(partial(xcom_objects.remove, location))


def xcom_text(value: Any) -> str:
    """The JSON text that is stored: key order stays, and characters stay readable where the database can hold them."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8 form, so it stays escaped
        text = json.dumps(value)
    return text


def _row(value: XComValue, now: datetime) -> XCom:
    text = xcom_text(value.value)
    return XCom(
        dag_run_id=value.dag_run_id,
        dag_id=value.dag_id,
        run_id=value.run_id,
        task_id=value.task_id,
        map_index=value.map_index,
        key=value.key,
        value=text,
        size=len(text.encode()) if value.size is None else value.size,
        mapped_length=_length(value.value) if value.mapped_length is None else value.mapped_length,
        is_dag_result=value.is_dag_result,
        location=value.location,
        timestamp=now,
    )


def _length(value: Any) -> int | None:
    """How many indexes a value gives: a list, a plain dict, or a serialized tuple or set."""
    if isinstance(value, list):
        return len(value)
    if not isinstance(value, dict):
        return None
    if "__classname__" not in value:
        return len(value)
    inner = value.get("__data__")
    return len(inner) if isinstance(inner, Collection) and not isinstance(inner, str) and _is_sequence(value) else None


def _is_sequence(value: dict[str, Any]) -> bool:
    return value["__classname__"] in ("builtins.tuple", "builtins.set", "builtins.frozenset")
