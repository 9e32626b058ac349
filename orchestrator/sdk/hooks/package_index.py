"""Decides the address of a Python package index from a connection."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from orchestrator.sdk.hooks.base import BaseHook


class PackageIndexHook(BaseHook):
    """Gives the address of an index with user and password in it."""

    conn_name_attr = "pi_conn_id"
    default_conn_name = "package_index_default"
    conn_type = "package_index"
    hook_name = "Package Index (Python)"

    def __init__(self, pi_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pi_conn_id = pi_conn_id

    def get_conn(self) -> Any:
        """Return the address."""
        return self.get_connection_url()

    def get_connection_url(self) -> Any:
        """Return the address; raises ``ValueError`` for a connection without host."""
        connection = self.get_connection(self.pi_conn_id)
        if not connection.host:
            raise ValueError(f"connection {self.pi_conn_id!r} has no host: put the address of the index there")
        parts = urlsplit(connection.host)
        if not connection.login:
            return connection.host
        password = f":{quote(connection.password)}" if connection.password else ""
        return parts._replace(netloc=f"{quote(connection.login)}{password}@{parts.netloc}").geturl()
