"""Decides what the lists of connections and variables show and are filtered by: as the REST lists, secrets never."""

from __future__ import annotations

from typing import Any

from orchestrator.ui.lists import Column, Filter, ListSpec
from vault.api import connections, variables
from vault.shown import shown_value


def _value(row: Any) -> Any:
    return shown_value(row)


CONNECTIONS = ListSpec(
    name="connections",
    params=connections.LIST,
    order=connections.ORDER,
    columns=(
        Column("conn_id", "Connection", "conn_id"),
        Column("conn_type", "Type", "conn_type"),
        Column("description", "Description", "description"),
        Column("host", "Host", "host"),
        Column("port", "Port", "port", number=True),
    ),
    filters=(Filter("connection_id_pattern", "Connection id", "search"),),
    default_order=("conn_id",),
    noun="connection",
)
VARIABLES = ListSpec(
    name="variables",
    params=variables.LIST,
    order=variables.ORDER,
    columns=(
        Column("key", "Key", "key"),
        Column("value", "Value", text=_value),
        Column("description", "Description", "description"),
        Column("is_encrypted", "Encrypted", "is_encrypted"),
    ),
    filters=(Filter("variable_key_pattern", "Key", "search"),),
    default_order=("key",),
    noun="variable",
)
