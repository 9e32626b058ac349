"""Decides what a secrets backend must offer: connections, variables and options by name."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.definitions.connection import Connection


class BaseSecretsBackend:
    """Base of secrets backends; a subclass overrides what its store has. None always means: not here, ask the next."""

    _connection_class: type | None = None

    @property
    def log(self) -> Any:
        """Return the logger of this backend."""
        import logging

        return logging.getLogger(f"{type(self).__module__}.{type(self).__qualname__}")

    @staticmethod
    def build_path(path_prefix: str, secret_id: str, sep: str = "/") -> str:
        """Return prefix and name as one path."""
        return f"{path_prefix}{sep}{secret_id}"

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        """Return a connection as URI or JSON text."""
        raise NotImplementedError

    def get_connection(self, conn_id: str, team_name: str | None = None) -> Any:
        """Return a connection; by default made of ``get_conn_value``."""
        try:
            text = self.get_conn_value(conn_id=conn_id)
        except NotImplementedError:
            return None
        return self.deserialize_connection(conn_id, text) if text else None

    def deserialize_connection(self, conn_id: str, value: str) -> Any:
        """Return the connection of a URI or JSON text; raises ``ValueError``."""
        kind: Any = self._connection_class or Connection
        text = value.strip()
        return kind.from_json(text, conn_id=conn_id) if text.startswith("{") else kind.from_uri(text, conn_id=conn_id)

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        """Return a variable's text."""
        raise NotImplementedError

    def get_config(self, key: str) -> str | None:
        """Return an option's text; ``key`` is what the ``_SECRET`` form of the option holds."""
        return None

    def _set_connection_class(self, conn_class: type) -> None:
        self._connection_class = conn_class
