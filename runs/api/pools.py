"""Decides the REST operations that read pools."""

from typing import Any

from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import matching, order_param, page_params, params
from runs.api.queries import attach_to_pools
from runs.api.schemas import POOL
from runs.models import Pool

operations = Operations("Pool")

LIST = params(page_params(), order_param(), matching("pool_name", "pool"))
ORDER = ordering("id", "pool", default=["id"], name="pool")


@operations.add("GET", "/pools", "get_pools", params=LIST)
def get_pools(call: Call) -> dict[str, Any]:
    """Return the pools with their slots in use."""
    rows = Pool.objects.all()
    return list_body(rows, call.query, params=LIST, order=ORDER, schema=POOL, key="pools", attach=attach_to_pools)


@operations.add("GET", "/pools/{pool_name:path}", "get_pool")
def get_pool(call: Call) -> dict[str, Any]:
    """Return one pool."""
    pool = Pool.objects.filter(pool=call.path["pool_name"]).first()
    if pool is None:
        raise NotFoundError(f"The Pool with name: `{call.path['pool_name']}` was not found")
    attach_to_pools([pool])
    return POOL.of(pool)
