"""Decides which pools, queues and connections count as existing: those of the database, the environment and the options."""

from __future__ import annotations

import os
from collections.abc import Collection

from django.db import DatabaseError

from orchestrator.config import conf
from orchestrator.dag_check.check import Known
from runs.models import Pool
from vault.models import Connection

_PREFIX = "AIRFLOW_CONN_"


class _Ids(set[str]):
    """Connection ids; those of the environment are there in capitals only."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or f"{_PREFIX}{str(name).upper()}" in os.environ


def known(
    *, pools: Collection[str] = (), queues: Collection[str] = (), connections: Collection[str] = (), offline: bool = False
) -> Known:
    """Return what exists: stored or named. What nobody knows (no database, or ``offline``, and nothing named) is not checked."""
    stored_pools, stored_connections = (None, None) if offline else _stored()
    served = {conf.get("operators", "default_queue"), *queues} if queues else None
    return Known(
        pools=None if stored_pools is None and not pools else {"default_pool", *(stored_pools or ()), *pools},
        queues=served,
        connections=None if stored_connections is None and not connections else _Ids({*(stored_connections or ()), *connections}),
    )


def _stored() -> tuple[set[str] | None, set[str] | None]:
    try:
        return set(Pool.objects.values_list("pool", flat=True)), set(Connection.objects.values_list("conn_id", flat=True))
    except DatabaseError:
        return None, None
