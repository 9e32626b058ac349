"""Decides the REST operations that read XComs."""

import json
from typing import Any

from django.db.models import QuerySet

from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, between, equal, matching, order_param, page_params, params
from runs.api.queries import ANY, attach_to_xcoms
from runs.api.schemas import XCOM
from runs.models import XCom

operations = Operations("XCom")

_PATH = "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries"
LIST = params(
    equal("xcom_key", "key"),
    equal("map_index", "map_index", scalars.at_least(-1)),
    page_params(),
    matching("xcom_key", "key"),
    matching("dag_display_name", "dag_run__dag__dag_display_name"),
    matching("run_id", "run_id"),
    matching("task_id", "task_id"),
    equal("map_index_filter", "map_index", scalars.integer),
    between("logical_date", "dag_run__logical_date"),
    between("run_after", "dag_run__run_after"),
    order_param(),
)
ORDER = ordering(
    "key",
    "dag_id",
    "run_id",
    "task_id",
    "map_index",
    "timestamp",
    default=["dag_id", "task_id", "run_id", "map_index", "key"],
    run_after="dag_run__run_after",
)
ENTRY = params(
    Param("map_index", scalars.at_least(-1), -1),
    Param("deserialize", scalars.switch, False),
    Param("stringify", scalars.switch, False),
)


@operations.add("GET", _PATH, "get_xcom_entries", params=LIST)
def get_xcom_entries(call: Call) -> dict[str, Any]:
    """Return XComs without their values; ``~`` stands for all DAGs, runs or tasks."""
    # A list never reads the values: one may be megabytes.
    rows = _chosen(XCom.objects.select_related("dag_run").defer("value"), call.path)
    return list_body(rows, call.query, params=LIST, order=ORDER, schema=XCOM, key="xcom_entries", attach=attach_to_xcoms)


@operations.add("GET", _PATH + "/{xcom_key:path}", "get_xcom_entry", params=ENTRY)
def get_xcom_entry(call: Call) -> dict[str, Any]:
    """Return one XCom with its value, as text where that is asked for."""
    key = call.path["xcom_key"]
    rows = _chosen(XCom.objects.select_related("dag_run"), call.path)
    row = rows.filter(key=key, map_index=call.query["map_index"]).order_by("-id").first()
    if row is None:
        raise NotFoundError(f"XCom entry with key: `{key}` not found")
    attach_to_xcoms([row])
    value = _value(row)
    if call.query["stringify"]:
        value = None if value is None else str(value)
    return XCOM.of(row) | {"value": value}


def _chosen(rows: QuerySet[XCom], path: Any) -> QuerySet[XCom]:
    wanted = {"dag_id": path["dag_id"], "run_id": path["dag_run_id"], "task_id": path["task_id"]}
    return rows.filter(**{name: value for name, value in wanted.items() if value != ANY})


def _value(row: XCom) -> Any:
    try:
        return json.loads(row.value) if row.value is not None else None
    except ValueError:
        return row.value
