"""Decides what can be set on a supervisor and what holds when it is not set."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

VARIABLE = "ORCHESTRATOR_SUPERVISOR"


@dataclass(slots=True)
class SupervisorSettings:
    """Times in seconds, sizes in bytes or as the name says; `bundles` maps bundle names to absolute folders."""

    execution_api_url: str
    base_log_folder: str
    dags_folder: str = ""
    plugins_folder: str = ""
    example_plugins_folder: str = ""
    ignore_syntax: str = "glob"
    bundles: dict[str, str] = field(default_factory=dict)
    airflow_python: dict[str, str] = field(default_factory=dict)  # by queue; "*" for the queues that have no entry
    hostname: str = field(default_factory=socket.getfqdn)
    unixname: str = field(default_factory=getpass.getuser)
    api_connections: int = 2
    api_timeout_seconds: float = 30.0
    heartbeat_seconds: float = 5.0
    lease_seconds: float = 25.0
    drain_timeout_seconds: float = 300.0
    killed_task_cleanup_time: float = 60.0
    execution_timeout_grace_seconds: float = 60.0
    leftover_grace_seconds: float = 2.0
    task_success_overtime: float = 20.0
    import_timeout_seconds: float = 30.0
    new_interpreter_per_task: bool = False
    max_hosts: int = 16
    host_idle_seconds: float = 300.0
    host_max_age_seconds: float = 3600.0
    host_max_memory_mb: int = 1024
    tidy_seconds: float = 5.0
    log_max_bytes: int = 1024**3
    log_spool_bytes: int = 1024**2
    log_file_mode: int = 0o664
    log_folder_mode: int = 0o775

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> SupervisorSettings:
        """Read the JSON in ORCHESTRATOR_SUPERVISOR.

        Raises:
            ValueError: it is missing, not JSON, has an unknown name, or lacks a required one.
        """
        text = environment.get(VARIABLE)
        if not text:
            raise ValueError(f"{VARIABLE} is not set. Give the supervisor's settings in it as a JSON object.")
        try:
            document = json.loads(text)
        except ValueError as error:
            raise ValueError(f"{VARIABLE} is not JSON: {error}") from error
        known = {setting.name for setting in fields(cls)}
        if unknown := sorted(set(document) - known):
            raise ValueError(f"{VARIABLE} has unknown settings {unknown}. Known are {sorted(known)}.")
        if missing := sorted({"execution_api_url", "base_log_folder"} - set(document)):
            raise ValueError(f"{VARIABLE} lacks {missing}.")
        return cls(**document)

    def bundle_folder(self, name: str) -> str:
        """Return the folder of a bundle; the one called dags-folder, and unknown ones, are the DAGs folder."""
        return self.bundles.get(name) or self.dags_folder or os.getcwd()

    def airflow_python_of(self, queue: str) -> str | None:
        """Return the Python with Airflow's Task SDK that runs the tasks of a queue; None where this platform runs them."""
        return self.airflow_python.get(queue) or self.airflow_python.get("*") or None
