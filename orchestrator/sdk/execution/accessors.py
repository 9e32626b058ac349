"""Decides how templates reach variables and connections: ``var.value.x``, ``var.json.x``, ``conn.x``."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.definitions.connection import Connection
from orchestrator.sdk.definitions.sentinels import NOTSET
from orchestrator.sdk.definitions.variable import Variable
from orchestrator.sdk.exceptions import AirflowNotFoundException


class VariableAccessor:
    """``var.value`` and ``var.json``."""

    def __init__(self, deserialize_json: bool) -> None:
        self._deserialize_json = deserialize_json

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return Variable.get(key, deserialize_json=self._deserialize_json)

    def get(self, key: str, default: Any = NOTSET) -> Any:
        """Return the variable, or ``default`` if there is none; without a default that is ``NOTSET``, as in Airflow."""
        missing = object()
        found = Variable.get(key, missing, deserialize_json=self._deserialize_json)
        return default if found is missing else found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VariableAccessor) and other._deserialize_json == self._deserialize_json

    def __hash__(self) -> int:
        return hash((VariableAccessor, self._deserialize_json))

    def __repr__(self) -> str:
        return "<VariableAccessor (dynamic access)>"


class ConnectionAccessor:
    """``conn``."""

    def __getattr__(self, conn_id: str) -> Connection:
        if conn_id.startswith("__"):
            raise AttributeError(conn_id)
        return Connection.get(conn_id)

    def get(self, conn_id: str, default_conn: Any = None) -> Any:
        """Return the connection, or ``default_conn`` if there is none."""
        try:
            return Connection.get(conn_id)
        except AirflowNotFoundException:
            return default_conn

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConnectionAccessor)

    def __hash__(self) -> int:
        return hash(ConnectionAccessor)

    def __repr__(self) -> str:
        return "<ConnectionAccessor (dynamic access)>"
