"""Decides how connections and variables change."""

import json
from pathlib import Path
from typing import Any

from vault.models import Connection, Variable


def variable_set(key: str, value: str, *, description: str | None = None) -> Variable:
    """Create or change a variable inside the caller's transaction; a description of None keeps what is there."""
    row = Variable.objects.filter(key=key).first() or Variable(key=key)
    row.val = value
    if description is not None:
        row.description = description
    row.save()
    return row


def variable_delete(key: str) -> bool:
    """Delete a variable; False means that there is none."""
    return bool(Variable.objects.filter(key=key).delete()[0])


def connection_set(conn_id: str, **fields: Any) -> Connection:
    """Create or change a connection inside the caller's transaction; only the given columns change."""
    row = Connection.objects.filter(conn_id=conn_id).first() or Connection(conn_id=conn_id)
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    return row


def connection_delete(conn_id: str) -> bool:
    """Delete a connection; False means that there is none."""
    return bool(Connection.objects.filter(conn_id=conn_id).delete()[0])


def connections_create_defaults() -> list[str]:
    """Create those of Airflow's default connections that are missing; returns their ids."""
    rows = json.loads((Path(__file__).parent / "default_connections.json").read_text(encoding="utf-8"))
    there = set(Connection.objects.values_list("conn_id", flat=True))
    missing = [row for row in rows if row["conn_id"] not in there]
    for row in missing:
        Connection(**row).save()
    return [row["conn_id"] for row in missing]
