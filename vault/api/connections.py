"""Decides the REST operations on connections: passwords and secret parts of ``extra`` are never shown."""

import json
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field, Values
from orchestrator.rest.bulk import Kind, run_bulk
from orchestrator.rest.bulk_bodies import bulk_body
from orchestrator.rest.errors import ConflictError, NotFoundError, ProblemError, RestError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, matching, order_param, page_params, params
from orchestrator.rest.schemas import Schema
from orchestrator.rest.teams import no_team
from vault.connection_rules import LARGEST_PORT, LONGEST_ID, LONGEST_TEXT, SMALLEST_PORT
from vault.keys import UndecryptableError
from vault.models import Connection
from vault.services import connections_create_defaults
from vault.shown import kept_extra, kept_password, shown_extra

operations = Operations("Connection")

LIST = params(page_params(), order_param(), matching("connection_id", "conn_id"))
ORDER = ordering(
    "id", "conn_id", "conn_type", "description", "host", "port", default=["id"], connection_id="conn_id", team_name="id"
)
MASK = params(Param("update_mask", many=True))
_COLUMNS = ("conn_type", "description", "host", "login", "schema", "port", "password", "extra")


def _extra(value: Any) -> str:
    text = scalars.text(value)
    try:
        if text and not isinstance(json.loads(text), dict):
            raise ValueError(text)
    except ValueError as error:
        message = 'Value error, The `extra` field must be a JSON object, such as {"key": "value"}'
        raise ProblemError("value_error", message, {"error": {}}) from error
    return text or "{}"


BODY = Body(
    "ConnectionBody",
    {
        "connection_id": Field(scalars.text_like(r"^[\w.-]+$", LONGEST_ID), required=True, null=False),
        "conn_type": Field(scalars.text_up_to(LONGEST_TEXT), required=True, null=False),
        "description": Field(scalars.text),
        "host": Field(scalars.text_up_to(LONGEST_TEXT)),
        "login": Field(scalars.text),
        "schema": Field(scalars.text_up_to(LONGEST_TEXT)),
        "port": Field(scalars.integer_within(SMALLEST_PORT, LARGEST_PORT)),
        "password": Field(scalars.text),
        "extra": Field(_extra),
        "team_name": Field(scalars.text_up_to(50)),
    },
    check=no_team,
)
BULK = bulk_body("BulkBody_ConnectionBody_", BODY)


def _shown_password(row: Connection) -> str | None:
    return "***" if row.password else None


CONNECTION = Schema(
    "ConnectionResponse",
    "conn_type",
    "description",
    "host",
    "login",
    "schema",
    "port",
    connection_id="conn_id",
    password=_shown_password,
    extra=shown_extra,
    team_name=lambda row: None,
)


@operations.add("GET", "/connections", "get_connections", role=Role.OP, params=LIST)
def get_connections(call: Call) -> dict[str, Any]:
    """Return connections."""
    return list_body(Connection.objects.all(), call.query, params=LIST, order=ORDER, schema=CONNECTION, key="connections")


@operations.add("GET", "/connections/{connection_id}", "get_connection", role=Role.OP)
def get_connection(call: Call) -> dict[str, Any]:
    """Return one connection."""
    return CONNECTION.of(_connection(call))


@operations.add("POST", "/connections", "post_connection", role=Role.OP, body=BODY, status=201)
def post_connection(call: Call) -> dict[str, Any]:
    """Create a connection."""
    with transaction.atomic():
        if Connection.objects.filter(conn_id=call.body["connection_id"]).exists():
            raise ConflictError(uuid.uuid4().hex[:8])
        row = _write(Connection(conn_id=call.body["connection_id"]), call.body, None)
        _audit("post_connection", call, row.conn_id, call.body)
    return CONNECTION.of(row)


@operations.add("PATCH", "/connections/{connection_id}", "patch_connection", role=Role.OP, params=MASK, body=BODY)
def patch_connection(call: Call) -> dict[str, Any]:
    """Change a connection, all of it or the fields of the mask."""
    if call.body["connection_id"] != call.path["connection_id"]:
        raise RestError(400, "The connection_id in the request body does not match the URL parameter")
    with transaction.atomic():
        row = _write(_connection(call), call.body, call.query["update_mask"] or list(call.body.given))
        _audit("patch_connection", call, row.conn_id, call.body)
    return CONNECTION.of(row)


@operations.add("DELETE", "/connections/{connection_id}", "delete_connection", role=Role.OP, status=204)
def delete_connection(call: Call) -> None:
    """Delete a connection."""
    with transaction.atomic():
        _connection(call).delete()
        _audit("delete_connection", call, call.path["connection_id"], Values())


@operations.add("PATCH", "/connections", "bulk_connections", role=Role.OP, body=BULK)
def bulk_connections(call: Call) -> dict[str, Any]:
    """Create, change and delete connections."""
    return run_bulk(call.body["actions"], _kind(call))


@operations.add("POST", "/connections/defaults", "create_default_connections", role=Role.OP, status=204)
def create_default_connections(call: Call) -> None:
    """Create the connections that Airflow's examples expect; what is there stays as it is."""
    with transaction.atomic():
        made = connections_create_defaults()
        if made:
            audit_write("create_default_connections", actor=call.user_name, extra={"connection_ids": made})


def _connection(call: Call) -> Connection:
    row = Connection.objects.filter(conn_id=call.path["connection_id"]).first()
    if row is None:
        raise NotFoundError(f"The Connection with connection_id: `{call.path['connection_id']}` was not found")
    return row


def _write(row: Connection, body: dict[str, Any], mask: Sequence[str] | None) -> Connection:
    # All of it before anything is set: what *** stands for depends on the type that the row has now.
    fresh = {name: _kept(row, name, body[name]) for name in _COLUMNS if mask is None or name in mask}
    for name, value in fresh.items():
        setattr(row, name, value)
    row.save()
    return row


def _kept(row: Connection, name: str, given: Any) -> Any:
    """Return what to store; ``***`` in a secret stands for what is stored."""
    try:
        return {"password": kept_password, "extra": kept_extra}[name](row, given) if name in ("password", "extra") else given
    except UndecryptableError as error:
        raise RestError(400, f"The stored {name} that *** stands for cannot be used: {error}. Send it anew.") from None


def _audit(event: str, call: Call, conn_id: str, body: Values) -> None:
    shown = {name: "***" if name in ("password", "extra") else body[name] for name in sorted(body.given)}
    audit_write(event, actor=call.user_name, extra={**shown, "connection_id": conn_id})


def _kind(call: Call) -> Kind:
    def write(entity: Values, mask: Sequence[str] | None) -> None:
        name = entity["connection_id"]
        row = Connection.objects.filter(conn_id=name).first() or Connection(conn_id=name)
        _write(row, entity, mask)
        _audit("bulk_connections", call, name, entity)

    def delete(names: Collection[str]) -> None:
        Connection.objects.filter(conn_id__in=names).delete()
        for name in names:
            _audit("bulk_connections", call, name, Values())

    return Kind(
        BODY,
        "connection_id",
        found=lambda names: set(Connection.objects.filter(conn_id__in=names).values_list("conn_id", flat=True)),
        write=write,
        delete=delete,
        missing="The connections with these connection_ids: {names} were not found.",
        present="The connections with these connection_ids: {names} already exist.",
    )
