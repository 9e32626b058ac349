"""Decides what ``airflow.settings`` gives to a DAG file: paths and the time zone, never the database."""

from __future__ import annotations

import os
from typing import Any

NAMES = ("AIRFLOW_HOME", "DAGS_FOLDER", "PLUGINS_FOLDER", "TIMEZONE")


def __getattr__(name: str) -> Any:
    if name == "AIRFLOW_HOME":
        return os.environ.get("AIRFLOW_HOME") or os.path.expanduser("~/airflow")
    if name == "DAGS_FOLDER":
        from orchestrator.sdk.configuration_defaults import default

        return str(default("core", "dags_folder", "dags"))
    if name == "PLUGINS_FOLDER":
        from orchestrator.sdk.configuration_defaults import default

        return str(default("core", "plugins_folder", "plugins"))
    if name == "TIMEZONE":
        from orchestrator.sdk.timezone import default_timezone

        return default_timezone()
    raise AttributeError(f"airflow.settings.{name} is not available here: DAG files and tasks have no database")


def get_airflow_home() -> str:
    """Return the folder of configuration, DAG files and logs."""
    return str(__getattr__("AIRFLOW_HOME"))
