"""Decides how workers read connections, and read and write variables."""

from __future__ import annotations

from typing import Any, Final

from executionapi.calls import Call, Operation, Work, one_by_one
from executionapi.fields import Field, InvalidError, integer, optional, read_object, read_query, text
from executionapi.replies import Reply, not_found, refusal
from executionapi.secret_reads import note_reads
from orchestrator.sdk.exceptions import AirflowSecretsBackendAccessDenied
from vault.keys import UndecryptableError
from vault.models import Variable
from vault.selectors import connection_find, variable_find
from vault.services import variable_delete, variable_set

_BODY: Final = (
    Field("val", optional(text), alias="value"),
    Field("description", optional(text), required=False),
)
_CONNECTION_FIELDS: Final = ("conn_type", "host", "schema", "login", "password", "port", "extra")


def _limit(value: Any) -> int:
    found = integer(value)
    if found < 1:
        raise InvalidError("greater_than_equal", "Input should be greater than or equal to 1", ge=1)
    if found > 10_000:
        raise InvalidError("less_than_equal", "Input should be less than or equal to 10000", le=10_000)
    return found


def _offset(value: Any) -> int:
    found = integer(value)
    if found < 0:
        raise InvalidError("greater_than_equal", "Input should be greater than or equal to 0", ge=0)
    return found


_KEYS: Final = (
    Field("prefix", text, required=False),
    Field("limit", _limit, required=False, default=1000),
    Field("offset", _offset, required=False, default=0),
)


def get_connection(call: Call) -> Reply:
    """A connection with its secrets in clear."""
    conn_id = call.args["connection_id"]
    try:
        found = connection_find(conn_id)
    except AirflowSecretsBackendAccessDenied as error:
        raise refusal(403, "access_denied", f"A secrets backend forbids connection {conn_id!r}: {error}") from None
    except ValueError as error:
        raise refusal(422, "unreadable", f"Connection {conn_id!r} cannot be read: {error}") from None
    if found is None:
        raise not_found(f"Connection with ID {conn_id} not found")
    return Reply(200, {"conn_id": conn_id, **{name: getattr(found, name) for name in _CONNECTION_FIELDS}})


def get_variable(call: Call) -> Reply:
    """A variable as text."""
    key = call.args["variable_key"]
    try:
        value = variable_find(key)
    except AirflowSecretsBackendAccessDenied as error:
        raise refusal(403, "access_denied", f"A secrets backend forbids variable {key!r}: {error}") from None
    except UndecryptableError as error:
        raise refusal(422, "unreadable", f"Variable {key!r} cannot be read: {error}") from None
    if value is None:
        raise not_found(f"Variable with key '{key}' not found")
    return Reply(200, {"key": key, "value": value})


def _noted(event: str, argument: str, work: Work) -> Work:
    def noted(calls: list[Call]) -> list[Reply]:
        replies = work(calls)
        note_reads(event, [call.args[argument] for call in calls], calls, replies)
        return replies

    return noted


def read_variable(call: Call) -> dict[str, Any]:
    """Text and description of a variable."""
    return read_object(call.body, _BODY)


def put_variable(call: Call) -> Reply:
    """Write a variable."""
    variable_set(call.args["variable_key"], call.value["val"] or "", description=call.value["description"])
    return Reply(201, {"message": "Variable successfully set"})


def delete_variable(call: Call) -> Reply:
    """Delete a variable; one that is not there counts as deleted."""
    variable_delete(call.args["variable_key"])
    return Reply(204)


def variable_keys(call: Call) -> Reply:
    """The names of the variables in the database, by prefix."""
    wanted = read_query(call.query, _KEYS)
    keys = Variable.objects.filter(key__startswith=wanted["prefix"] or "").order_by("key").values_list("key", flat=True)
    page = keys[wanted["offset"] : wanted["offset"] + wanted["limit"]]
    return Reply(200, {"keys": list(page), "total_entries": keys.count()})


_VARIABLE = "variables/{variable_key:path}"

OPERATIONS: Final = (
    Operation("GET", "connections/{connection_id}", _noted("read_connection", "connection_id", one_by_one(get_connection))),
    Operation("GET", "variables/keys", one_by_one(variable_keys), since="2026-06-30"),
    Operation("GET", _VARIABLE, _noted("read_variable", "variable_key", one_by_one(get_variable))),
    Operation("PUT", _VARIABLE, one_by_one(put_variable), read_variable, writes=True),
    Operation("DELETE", _VARIABLE, one_by_one(delete_variable), writes=True),
)
