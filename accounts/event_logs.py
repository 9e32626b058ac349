"""Decides the REST operations that read the audit log, which Airflow calls event logs."""

from collections.abc import Sequence
from typing import Any

from accounts.models import AuditLog
from dags_app.api.queries import shown_names
from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, by, equal, matching, order_param, page_params, params
from orchestrator.rest.schemas import Schema

operations = Operations("Event Log")

_TEXTS = ("dag_id", "task_id", "run_id", "owner", "event")
LIST = params(
    page_params(),
    order_param(),
    [equal(name, name) for name in _TEXTS],
    equal("map_index", "map_index", scalars.integer),
    equal("try_number", "try_number", scalars.integer),
    Param("included_events", many=True, apply=by("event__in")),
    Param("excluded_events", many=True, apply=lambda rows, value: rows.exclude(event__in=value)),
    Param("before", scalars.instant, apply=by("when__lt")),
    Param("after", scalars.instant, apply=by("when__gt")),
    *(matching(name, name) for name in _TEXTS),
)
ORDER = ordering(
    "id", "when", "dag_id", "task_id", "run_id", "event", "logical_date", "owner", "extra",
    default=["id"], dttm="when", event_log_id="id",
)  # fmt: skip
EVENT_LOG = Schema(
    "EventLogResponse",
    "when", "dag_id", "task_id", "run_id", "map_index", "try_number", "event", "logical_date", "owner", "extra",
    event_log_id="id",
    dag_display_name="shown_dag_name",
    task_display_name="task_id",
)  # fmt: skip


@operations.add("GET", "/eventLogs", "get_event_logs", params=LIST)
def get_event_logs(call: Call) -> dict[str, Any]:
    """Return audit rows."""
    rows = AuditLog.objects.all()
    return list_body(rows, call.query, params=LIST, order=ORDER, schema=EVENT_LOG, key="event_logs", attach=_attach)


@operations.add("GET", "/eventLogs/{event_log_id}", "get_event_log", types={"event_log_id": scalars.integer})
def get_event_log(call: Call) -> dict[str, Any]:
    """Return one audit row."""
    row = AuditLog.objects.filter(pk=call.path["event_log_id"]).first()
    if row is None:
        raise NotFoundError(f"The Event Log with id: `{call.path['event_log_id']}` not found")
    _attach([row])
    return EVENT_LOG.of(row)


def _attach(rows: Sequence[Any]) -> None:
    names = shown_names(row.dag_id for row in rows if row.dag_id)
    for row in rows:
        row.shown_dag_name = names.get(row.dag_id)
