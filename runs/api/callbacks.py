"""Decides the REST operations on deliveries of callbacks and alerts, on mutes, and on deadlines (C09-c, C27-d)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.roles import Role
from accounts.services import audit_write
from dags_app.api.queries import dag_or_404
from orchestrator.kernel.clock import utcnow
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import between, equal, order_param, page_params, params, states
from orchestrator.rest.schemas import Schema
from runs.callbacks import selectors, services
from runs.callbacks.workloads import log_path
from runs.deadlines.selectors import deadlines, upcoming_deadlines
from runs.models import AlertMute, Callback, Deadline

operations = Operations("Callback")

DELIVERY = Schema(
    "CallbackResponse",
    "id",
    "kind",
    "dag_id",
    "state",
    "attempts",
    "created_at",
    "next_attempt_at",
    "delivered_at",
    dag_run_id=lambda row: row.dag_run.run_id if row.dag_run else None,
    task_instance_id=lambda row: str(row.ti_id) if row.ti_id else None,
    task_id=lambda row: (row.payload.get("ti") or {}).get("task_id"),
    map_index=lambda row: (row.payload.get("ti") or {}).get("map_index"),
    event=lambda row: row.payload.get("event"),
    output="last_output",
    log_path=lambda row: log_path(row.dag_id, row.dag_run.run_id if row.dag_run else "none", row.pk),
)
MUTE = Schema("AlertMuteResponse", "dag_id", "until", "muted_by", "reason")
DEADLINE = Schema(
    "DeadlineResponse",
    "dag_id",
    "deadline_time",
    "state",
    "created_at",
    "ended_at",
    id=lambda row: str(row.pk),
    dag_run_id=lambda row: row.dag_run.run_id,
    task_id=lambda row: row.task_id or None,
    map_index="map_index",
    name=lambda row: row.alert.get("name"),
    condition=lambda row: row.alert.get("condition"),
    callback_id="callback_id",
    callback_state=lambda row: row.callback.state if row.callback else None,
)
UPCOMING = Schema("UpcomingDeadline", "predicted_end", at_risk="is_at_risk", deadline=lambda item: DEADLINE.of(item.deadline))

LIST = params(
    page_params(),
    order_param(),
    states("state", "state", tuple(Callback.State.values), "state"),
    equal("kind", "kind"),
    equal("dag_run_id", "dag_run__run_id"),
    between("created_at", "created_at"),
)
ORDER = ordering("id", "state", "kind", "created_at", "delivered_at", default=["-id"])
DEADLINES = params(
    page_params(),
    order_param(),
    states("state", "state", tuple(Deadline.State.values), "state"),
    equal("dag_run_id", "dag_run__run_id"),
)
DEADLINE_ORDER = ordering("deadline_time", "dag_id", "state", default=["deadline_time"], key="id")
MUTE_BODY = Body("AlertMuteBody", {"until": Field(scalars.aware_instant, required=True), "reason": Field(scalars.text)})
ANY = "~"


def _of_dag(dag_id: str) -> str | None:
    return None if dag_id == ANY else str(dag_or_404(dag_id).pk)


@operations.add("GET", "/dags/{dag_id}/callbacks", "get_callbacks", params=LIST)
def get_callbacks(call: Call) -> dict[str, Any]:
    """Return the deliveries of a DAG, of all DAGs for ``~``, newest first."""
    rows: QuerySet[Callback] = selectors.deliveries(_of_dag(call.path["dag_id"])).order_by()
    return list_body(rows, call.query, params=LIST, order=ORDER, schema=DELIVERY, key="callbacks")


@operations.add(
    "POST", "/callbacks/{callback_id}/resend", "resend_callback", role=Role.USER, types={"callback_id": scalars.integer}
)
def resend_callback(call: Call) -> dict[str, Any]:
    """Deliver once more, with all retries; 409 while it is under way."""
    with transaction.atomic():
        row = Callback.objects.select_related("dag_run").filter(pk=call.path["callback_id"]).first()
        if row is None:
            raise NotFoundError(f"Callback {call.path['callback_id']} was not found")
        if not services.delivery_resend(row, now=utcnow()):
            raise RestError(409, f"Callback {row.pk} is under way; it can be sent again when that has ended")
        run_id = row.dag_run.run_id if row.dag_run else None
        audit_write("resend_callback", actor=call.user_name, extra={"callback_id": row.pk}, dag_id=row.dag_id, run_id=run_id)
        row.refresh_from_db()
    return DELIVERY.of(row)


@operations.add("GET", "/dags/{dag_id}/alertMute", "get_alert_mute")
def get_alert_mute(call: Call) -> dict[str, Any]:
    """Return the mute that holds now; 404 where alerts are sent."""
    dag = dag_or_404(call.path["dag_id"])
    found = selectors.mute_of(dag.pk, utcnow())
    if found is None:
        raise NotFoundError(f"Alerts of the Dag '{dag.pk}' are not muted")
    return MUTE.of(found)


@operations.add("PUT", "/dags/{dag_id}/alertMute", "put_alert_mute", role=Role.USER, body=MUTE_BODY)
def put_alert_mute(call: Call) -> dict[str, Any]:
    """Send no alerts of a DAG until a moment in the future."""
    dag, until = dag_or_404(call.path["dag_id"]), call.body["until"]
    if until <= utcnow():
        raise RestError(400, f"until is {until.isoformat()}, which is over; give a moment in the future")
    with transaction.atomic():
        row: AlertMute = services.alerts_mute(dag.pk, until=until, actor=call.user_name, reason=call.body["reason"] or "")
        audit_write("put_alert_mute", actor=call.user_name, extra=call.body, dag_id=dag.pk)
    return MUTE.of(row)


@operations.add("DELETE", "/dags/{dag_id}/alertMute", "delete_alert_mute", role=Role.USER, status=204)
def delete_alert_mute(call: Call) -> None:
    """Send alerts of a DAG again."""
    dag = dag_or_404(call.path["dag_id"])
    with transaction.atomic():
        if not services.alerts_unmute(dag.pk):
            raise NotFoundError(f"Alerts of the Dag '{dag.pk}' are not muted")
        audit_write("delete_alert_mute", actor=call.user_name, dag_id=dag.pk)


@operations.add("GET", "/dags/{dag_id}/deadlines", "get_deadlines", params=DEADLINES)
def get_deadlines(call: Call) -> dict[str, Any]:
    """Return the deadlines of a DAG, of all DAGs for ``~``."""
    rows: QuerySet[Deadline] = deadlines(_of_dag(call.path["dag_id"])).order_by()
    return list_body(rows, call.query, params=DEADLINES, order=DEADLINE_ORDER, schema=DEADLINE, key="deadlines")


@operations.add("GET", "/dags/{dag_id}/deadlines/upcoming", "get_upcoming_deadlines")
def get_upcoming_deadlines(call: Call) -> dict[str, Any]:
    """Return the next hundred pending deadlines with the predicted end of their runs."""
    found = upcoming_deadlines(utcnow(), _of_dag(call.path["dag_id"]))
    return {"deadlines": [UPCOMING.of(item) for item in found], "total_entries": len(found)}
