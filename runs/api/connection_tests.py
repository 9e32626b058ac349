"""Decides the REST operations that test connections; all of it is off unless ``[core] test_connection`` is Enabled."""

from typing import Any

from django.db import IntegrityError, transaction

from accounts.roles import Role
from accounts.services import audit_write
from orchestrator.database import notify_on_commit
from orchestrator.kernel.clock import isoformat_z
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations
from runs.changes import SCHEDULER_TOPIC
from runs.connection_tests.launch import test_at_once
from vault.api.connections import BODY
from vault.connection_tests import PARTS, TestRefusedError, is_enabled, parts_for, test_order
from vault.keys import UndecryptableError
from vault.models import ConnectionTest

operations = Operations("Connection")

TOKEN_HEADER = "Airflow-Connection-Test-Token"  # noqa: S105  the name of a header
_DISABLED = "Testing connections is disabled in Airflow configuration. Contact your deployment admin to enable it."
TEST = Body(
    "ConnectionTestRequestBody",
    {
        **BODY.fields,
        "commit_on_success": Field(scalars.switch, null=False, default=False),
        "executor": Field(scalars.text),
        "queue": Field(scalars.text),
    },
)


@operations.add("POST", "/connections/test", "test_connection", role=Role.OP, body=BODY)
def test_connection(call: Call) -> dict[str, Any]:
    """Test a connection in a process of its own and wait for the result; nothing is stored."""
    parts = _parts(call)
    status, message = test_at_once(call.body["connection_id"], parts)
    audit_write("test_connection", actor=call.user_name, extra={"connection_id": call.body["connection_id"], "status": status})
    return {"status": status, "message": message}


@operations.add("POST", "/connections/enqueue-test", "enqueue_connection_test", role=Role.OP, body=TEST, status=202)
def enqueue_connection_test(call: Call) -> dict[str, Any]:
    """Order a test by a worker; the token in the answer asks for the result."""
    parts = _parts(call)
    more = {name: call.body[name] for name in ("commit_on_success", "executor", "queue")}
    conn_id = call.body["connection_id"]
    try:
        with transaction.atomic():
            row = test_order(conn_id, parts, actor=call.user_name, **more)
            notify_on_commit(SCHEDULER_TOPIC)
    except (TestRefusedError, IntegrityError):
        raise RestError(409, f"An active connection test already exists for connection_id `{conn_id}`.") from None
    return {"token": row.token, "connection_id": row.connection_id, "state": row.state}


@operations.add("GET", "/connections/enqueue-test", "get_connection_test", role=Role.OP)
def get_connection_test(call: Call) -> dict[str, Any]:
    """Return how far an ordered test is."""
    token = call.request.headers.get(TOKEN_HEADER)
    if not token:
        where = ["header", TOKEN_HEADER]
        raise RestError(422, [{"type": "missing", "loc": where, "msg": "Field required", "input": None}])
    row = ConnectionTest.objects.filter(token=token).first()
    if row is None:
        raise NotFoundError(f"No connection test found for token: `{token}`")
    shown = {"token": row.token, "connection_id": row.connection_id, "state": row.state, "result_message": row.result_message}
    return {**shown, "created_at": isoformat_z(row.created_at)}


def _parts(call: Call) -> dict[str, Any]:
    if not is_enabled():
        raise RestError(403, _DISABLED)
    given = {name: call.body[name] for name in PARTS if name in call.body.given}
    try:
        return parts_for(call.body["connection_id"], given)
    except UndecryptableError as error:
        raise RestError(400, f"The stored secrets cannot be used: {error}. Send them with the request.") from None
