"""Decides the REST operations on variables: a value under a secret-looking key is never shown."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field, Values
from orchestrator.rest.bulk import Kind, run_bulk
from orchestrator.rest.bulk_bodies import bulk_body
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, matching, order_param, page_params, params
from orchestrator.rest.schemas import Schema
from orchestrator.rest.teams import no_team
from vault.keys import UndecryptableError
from vault.models import Variable
from vault.shown import kept_value, shown_value

operations = Operations("Variable")

LIST = params(page_params(), order_param(), matching("variable_key", "key"))
ORDER = ordering("id", "key", "description", "is_encrypted", default=["id"], _val="val", team_name="id")
BODY = Body(
    "VariableBody",
    {
        "key": Field(scalars.text_up_to(250), required=True, null=False),
        "value": Field(lambda value: value, required=True),
        "description": Field(scalars.text),
        "team_name": Field(scalars.text_up_to(50)),
    },
    check=no_team,
)
BULK = bulk_body("BulkBody_VariableBody_", BODY)
MASK = params(Param("update_mask", many=True))


VARIABLE = Schema("VariableResponse", "key", "description", "is_encrypted", value=shown_value, team_name=lambda row: None)


@operations.add("GET", "/variables", "get_variables", role=Role.OP, params=LIST)
def get_variables(call: Call) -> dict[str, Any]:
    """Return variables."""
    return list_body(Variable.objects.all(), call.query, params=LIST, order=ORDER, schema=VARIABLE, key="variables")


@operations.add("GET", "/variables/{variable_key:path}", "get_variable", role=Role.OP)
def get_variable(call: Call) -> dict[str, Any]:
    """Return one variable."""
    return VARIABLE.of(_variable(call))


@operations.add("POST", "/variables", "post_variable", role=Role.OP, body=BODY, status=201)
def post_variable(call: Call) -> dict[str, Any]:
    """Create a variable."""
    key = call.body["key"]
    with transaction.atomic():
        if Variable.objects.filter(key=key).exists():
            raise RestError(409, f"The Variable with key: `{key}` already exists")
        row = _write(Variable(key=key), call.body, None)
        _audit("post_variable", call, key)
    return VARIABLE.of(row)


@operations.add("PATCH", "/variables/{variable_key:path}", "patch_variable", role=Role.OP, params=MASK, body=BODY)
def patch_variable(call: Call) -> dict[str, Any]:
    """Change a variable, all of it or the fields of the mask."""
    if call.body["key"] != call.path["variable_key"]:
        raise RestError(400, "Invalid body, key from request body doesn't match uri parameter")
    mask = call.query["update_mask"]
    if mask and "key" in mask:
        raise RestError(400, "Update not allowed: the following fields are immutable and cannot be modified: {'key'}")
    with transaction.atomic():
        row = _write(_variable(call), call.body, mask or list(call.body.given))
        _audit("patch_variable", call, row.key)
    return VARIABLE.of(row)


@operations.add("DELETE", "/variables/{variable_key:path}", "delete_variable", role=Role.OP, status=204)
def delete_variable(call: Call) -> None:
    """Delete a variable."""
    with transaction.atomic():
        _variable(call).delete()
        _audit("delete_variable", call, call.path["variable_key"])


@operations.add("PATCH", "/variables", "bulk_variables", role=Role.OP, body=BULK)
def bulk_variables(call: Call) -> dict[str, Any]:
    """Create, change and delete variables."""
    return run_bulk(call.body["actions"], _kind(call))


def _variable(call: Call) -> Variable:
    row = Variable.objects.filter(key=call.path["variable_key"]).first()
    if row is None:
        raise NotFoundError(f"The Variable with key: `{call.path['variable_key']}` was not found")
    return row


def _write(row: Variable, body: dict[str, Any], mask: Sequence[str] | None) -> Variable:
    if not mask or "value" in mask:
        row.val = _kept(row, body["value"] if isinstance(body["value"], str) else json.dumps(body["value"], indent=2))
    if not mask or "description" in mask:
        row.description = body["description"]
    row.save()
    return row


def _kept(row: Variable, given: str) -> str:
    try:
        return kept_value(row, given)
    except UndecryptableError as error:
        raise RestError(400, f"The stored value that *** stands for cannot be used: {error}. Send it anew.") from None


def _audit(event: str, call: Call, key: str) -> None:
    audit_write(event, actor=call.user_name, extra={"key": key, "value": "***"})


def _kind(call: Call) -> Kind:
    def write(entity: Values, mask: Sequence[str] | None) -> None:
        row = Variable.objects.filter(key=entity["key"]).first() or Variable(key=entity["key"])
        _write(row, entity, mask)
        _audit("bulk_variables", call, entity["key"])

    def delete(keys: Collection[str]) -> None:
        Variable.objects.filter(key__in=keys).delete()
        for key in keys:
            _audit("bulk_variables", call, key)

    return Kind(
        BODY,
        "key",
        found=lambda keys: set(Variable.objects.filter(key__in=keys).values_list("key", flat=True)),
        write=write,
        delete=delete,
        missing="The variables with these keys: {names} were not found.",
        present="The variables with these keys: {names} already exist.",
    )
