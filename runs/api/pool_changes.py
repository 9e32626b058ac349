"""Decides the REST operations that create, change and delete pools; the default pool stays."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from orchestrator.database import notify_on_commit
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field, Values
from orchestrator.rest.bulk import ActionRefusedError, Kind, run_bulk
from orchestrator.rest.bulk_bodies import bulk_body
from orchestrator.rest.errors import ConflictError, NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from orchestrator.rest.teams import no_team
from runs.api.queries import attach_to_pools
from runs.api.schemas import POOL
from runs.changes import SCHEDULER_TOPIC
from runs.models import Pool

operations = Operations("Pool")

DEFAULT_POOL = "default_pool"
_DEFAULT_STAYS = "Default Pool can't be deleted"
BODY = Body(
    "PoolBody",
    {
        "name": Field(scalars.text_up_to(256), required=True, null=False),
        "slots": Field(scalars.at_least(-1), required=True, null=False),
        "description": Field(scalars.text),
        "include_deferred": Field(scalars.switch, null=False, default=False),
        "team_name": Field(scalars.text_up_to(50)),
    },
    aliases={"pool": "name"},
    check=no_team,
)
# Airflow's schema says `pool`, its server takes `name` as well.
PATCH = Body(
    "PoolPatchBody",
    {
        "pool": Field(scalars.text),
        "name": Field(scalars.text),
        "slots": Field(scalars.at_least(-1)),
        "description": Field(scalars.text),
        "include_deferred": Field(scalars.switch),
        "team_name": Field(scalars.text_up_to(50)),
    },
    check=no_team,
)
BULK = bulk_body("BulkBody_PoolBody_", BODY)
MASK = params(Param("update_mask", many=True))
_COLUMNS = ("slots", "description", "include_deferred")


@operations.add("POST", "/pools", "post_pool", role=Role.OP, body=BODY, status=201)
def post_pool(call: Call) -> dict[str, Any]:
    """Create a pool."""
    with transaction.atomic():
        if Pool.objects.filter(pool=call.body["name"]).exists():
            raise ConflictError(uuid.uuid4().hex[:8])
        row = _write(Pool(pool=call.body["name"]), call.body, None)
        _tell("post_pool", call, row.pool, call.body)
    return _shown(row)


@operations.add("PATCH", "/pools/{pool_name:path}", "patch_pool", role=Role.OP, params=MASK, body=PATCH)
def patch_pool(call: Call) -> dict[str, Any]:
    """Change a pool: the fields that were sent, or those of the mask."""
    named = call.body["pool"] or call.body["name"]
    if named not in (None, call.path["pool_name"]):
        raise RestError(400, "Invalid body, pool name from request body doesn't match uri parameter")
    mask = call.query["update_mask"] or [name for name in call.body.given if call.body[name] is not None or name == "description"]
    with transaction.atomic():
        row = _pool(call)
        before = _sides(row)
        _write(row, call.body, mask)
        if (after := _sides(row)) != before:
            _tell("patch_pool", call, row.pool, call.body, before=before, after=after)
    return _shown(row)


@operations.add("DELETE", "/pools/{pool_name:path}", "delete_pool", role=Role.OP, status=204)
def delete_pool(call: Call) -> None:
    """Delete a pool; its tasks then wait for it and say so."""
    if call.path["pool_name"] == DEFAULT_POOL:
        raise RestError(400, _DEFAULT_STAYS)
    with transaction.atomic():
        _pool(call).delete()
        _tell("delete_pool", call, call.path["pool_name"], Values())


@operations.add("PATCH", "/pools", "bulk_pools", role=Role.OP, body=BULK)
def bulk_pools(call: Call) -> dict[str, Any]:
    """Create, change and delete pools."""
    return run_bulk(call.body["actions"], _kind(call))


def _pool(call: Call) -> Pool:
    row = Pool.objects.filter(pool=call.path["pool_name"]).first()
    if row is None:
        raise NotFoundError(f"The Pool with name: `{call.path['pool_name']}` was not found")
    return row


def _write(row: Pool, body: Values, mask: Sequence[str] | None) -> Pool:
    for name in _COLUMNS:
        if mask is None or name in mask:
            setattr(row, name, body[name])
    row.save()
    return row


def _sides(row: Pool) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _COLUMNS}


def _tell(event: str, call: Call, name: str, body: Values, **sides: Any) -> None:
    """Write the change down, and wake the scheduler: tasks may wait for these slots."""
    sent = {field: body[field] for field in sorted(body.given)} | {"pool": name}
    audit_write(event, actor=call.user_name, extra=sent, **sides)
    notify_on_commit(SCHEDULER_TOPIC)


def _shown(row: Pool) -> dict[str, Any]:
    attach_to_pools([row])
    return POOL.of(row)


def _kind(call: Call) -> Kind:
    def write(entity: Values, mask: Sequence[str] | None) -> None:
        row = Pool.objects.filter(pool=entity["name"]).first() or Pool(pool=entity["name"])
        _write(row, entity, mask)
        _tell("bulk_pools", call, row.pool, entity)

    def delete(names: Collection[str]) -> None:
        if DEFAULT_POOL in names:
            raise ActionRefusedError(400, _DEFAULT_STAYS)
        Pool.objects.filter(pool__in=names).delete()
        for name in names:
            _tell("bulk_pools", call, name, Values())

    return Kind(
        BODY,
        "name",
        found=lambda names: set(Pool.objects.filter(pool__in=names).values_list("pool", flat=True)),
        write=write,
        delete=delete,
        missing="The pools with these pool names: {names} were not found.",
        present="The pools with these pool names: {names} already exist.",
    )
