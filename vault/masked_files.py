"""Decides what files of connections and variables hold that people get from a page: everything but the secrets.

Where a secret is, there is ``***``; the import page takes it for what is stored. Files with secrets are made by the commands.
"""

from __future__ import annotations

import json
from typing import Any

from orchestrator.sdk.execution.masking import MASK
from vault.models import Connection, Variable
from vault.shown import shown_extra, shown_value
from vault.transfer import exported

_OPEN = ("conn_type", "description", "login", "host", "port", "schema")


def masked_connections() -> str:
    """Return all connections by id as JSON."""
    return json.dumps({row.conn_id: _parts(row) for row in Connection.objects.order_by("conn_id")}, indent=2)


def masked_variables() -> str:
    """Return all variables by key as JSON."""
    found = {row.key: exported(shown_value(row) or "", row.description) for row in Variable.objects.order_by("key")}
    return json.dumps(found, indent=2)


def _parts(row: Connection) -> dict[str, Any]:
    open_parts = {name: getattr(row, name) for name in _OPEN}
    return {**open_parts, "password": MASK if row.password else None, "extra": shown_extra(row)}
