"""Decides what runs in memory read when a command starts them: the platform's own variables and connections too."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import DatabaseError

from orchestrator.sdk.testing.store import Store
from vault.selectors import connection_find, variable_find


class _Variables(dict[str, Any]):
    """Variables given by hand, then those of the database; what a task writes stays in memory."""

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or self.get(str(key)) is not None

    def __missing__(self, key: str) -> str:
        found = _variable(key)
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: str, default: Any = None) -> Any:
        """Return the variable's text."""
        try:
            return self[key]
        except KeyError:
            return default


class _Connections(dict[str, Any]):
    """Connections given by hand, then those of the database."""

    def get(self, conn_id: str, default: Any = None) -> Any:
        """Return the parts of a connection."""
        if super().__contains__(conn_id):
            return self[conn_id]
        try:
            found = connection_find(conn_id)
        except DatabaseError:
            return default
        return default if found is None else asdict(found)


def store_with_vault() -> Store:
    """Return an empty store whose tasks also see what the database has; without a database it has nothing."""
    store = Store()
    store.variables, store.connections = _Variables(), _Connections()
    return store


def _variable(key: str) -> str | None:
    try:
        return variable_find(key)
    except DatabaseError:
        return None
