"""Decides what the backends that come with the platform return: files of this machine, and the environment."""

from __future__ import annotations

import json
import os
from typing import Any

from orchestrator.sdk.secrets.base import BaseSecretsBackend
from orchestrator.sdk.secrets.files import connections_of, variables_of


class LocalFilesystemBackend(BaseSecretsBackend):
    """Connections, variables and options from JSON, YAML or ``.env`` files, which are read again at each question.

    Args:
        variables_file_path: file of variables.
        connections_file_path: file of connections.
        configs_file_path: file of options, by the names in their ``_SECRET`` forms.
    """

    def __init__(
        self,
        variables_file_path: str | None = None,
        connections_file_path: str | None = None,
        configs_file_path: str | None = None,
        **_: Any,
    ) -> None:
        self.variables_file = variables_file_path
        self.connections_file = connections_file_path
        self.configs_file = configs_file_path

    def get_connection(self, conn_id: str, team_name: str | None = None) -> Any:
        """Return the connection, None where the file has none."""
        return connections_of(self.connections_file).get(conn_id) if self.connections_file else None

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        """Return the variable, None where the file has none."""
        return _text(self.variables_file, key)

    def get_config(self, key: str) -> str | None:
        """Return the option, None where the file has none."""
        return _text(self.configs_file, key)


class EnvironmentVariablesBackend(BaseSecretsBackend):
    """Connections of ``AIRFLOW_CONN_*`` and variables of ``AIRFLOW_VAR_*``."""

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        """Return the text of the environment variable."""
        return os.environ.get(f"AIRFLOW_CONN_{conn_id.upper()}")

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        """Return the text of the environment variable."""
        return os.environ.get(f"AIRFLOW_VAR_{key.upper()}")


def _text(file: str | None, key: str) -> str | None:
    if not file:
        return None
    found = variables_of(file).get(key)
    if found is None or isinstance(found, str):
        return found

    return json.dumps(found)
