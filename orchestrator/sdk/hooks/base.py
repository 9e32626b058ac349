"""Decides what every hook has: a connection by id, and a logger."""

from __future__ import annotations

import logging
from typing import Any

from orchestrator.sdk.awaiting import in_thread


class BaseHook:
    """Base of hooks: a subclass gives ``get_conn()``."""

    def __init__(self, logger_name: str | None = None) -> None:
        self._logger_name = logger_name

    @property
    def log(self) -> logging.Logger:
        """Return the logger of this hook."""
        name = self._logger_name or f"{type(self).__module__}.{type(self).__qualname__}"
        return logging.getLogger(f"airflow.task.hooks.{name}")

    @classmethod
    def get_connection(cls, conn_id: str) -> Any:
        """Return the connection; raises ``AirflowNotFoundException``."""
        from orchestrator.sdk.definitions.connection import Connection

        return Connection.get(conn_id)

    @classmethod
    async def aget_connection(cls, conn_id: str) -> Any:
        """Return the connection, without blocking the event loop."""
        return await in_thread(cls.get_connection, conn_id)

    @classmethod
    def get_hook(cls, conn_id: str, hook_params: dict[str, Any] | None = None) -> Any:
        """Return the hook that fits the type of the connection."""
        return cls.get_connection(conn_id).get_hook(hook_params=hook_params)

    @classmethod
    async def aget_hook(cls, conn_id: str, hook_params: dict[str, Any] | None = None) -> Any:
        """As ``get_hook``, while the event loop goes on."""
        return await in_thread(cls.get_hook, conn_id, hook_params)

    def get_conn(self) -> Any:
        """Return the client for the connection."""
        raise NotImplementedError(f"{type(self).__name__} must define get_conn()")

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return further fields of the connection form."""
        return {}

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return which fields of the connection form are hidden or renamed."""
        return {}
