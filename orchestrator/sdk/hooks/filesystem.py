"""Decides the folder that a connection of type ``fs`` stands for."""

from __future__ import annotations

import os
from typing import Any

from orchestrator.sdk.hooks.base import BaseHook


class FSHook(BaseHook):
    """Gives the path in the extra of a connection: ``{"path": "/some/folder"}``."""

    conn_name_attr = "fs_conn_id"
    default_conn_name = "fs_default"
    conn_type = "fs"
    hook_name = "File (path)"

    def __init__(self, fs_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        connection = self.get_connection(fs_conn_id)
        self.basepath = connection.extra_dejson.get("path", "")
        self.conn = connection

    def get_conn(self) -> None:
        """Return nothing: there is no client."""

    def get_path(self) -> str:
        """Return the path."""
        return str(self.basepath)

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the path is there, and a sentence."""
        if not self.basepath:
            return False, "The connection has no path in its extra."
        if not os.path.exists(self.basepath):
            return False, f"Path {self.basepath} does not exist."
        return True, f"Path {self.basepath} exists."
