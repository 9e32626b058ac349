"""Decides what a supervisor, and so every task, finds in its environment: no database URL and no key."""

from __future__ import annotations

import json
import os
import re
import socket
from typing import Any

from dags_app.models import Bundle
from dags_app.processor.plugin_reports import example_plugins_folder
from orchestrator.config import ConfigurationError, conf

# Options that a worker must not see, by environment name; `_CMD` and `_SECRET` forms too.
_SECRET = re.compile(r"^(DATABASE_URL|AIRFLOW__(DATABASE__|CELERY__|API__SECRET_KEY|API_AUTH__|SMTP__|CORE__FERNET_KEY).*)$")


def supervisor_environment() -> dict[str, str]:
    """Return the environment of a supervisor: this process's without secrets, with the supervisor's settings."""
    kept = {name: value for name, value in os.environ.items() if not _SECRET.match(name)}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    kept["AIRFLOW_HOME"] = str(conf.home)
    kept["ORCHESTRATOR_SUPERVISOR"] = json.dumps(_settings())
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    kept["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([root, *filter(None, kept.get("PYTHONPATH", "").split(os.pathsep))]))
    return kept


def _settings() -> dict[str, Any]:
    return {
        "execution_api_url": execution_api_url(),
        "base_log_folder": str(conf.get("logging", "base_log_folder")),
        "dags_folder": str(conf.get("core", "dags_folder")),
        "plugins_folder": str(conf.get("core", "plugins_folder")),
        "example_plugins_folder": example_plugins_folder(),
        "ignore_syntax": conf.get("core", "dag_ignore_file_syntax"),
        "bundles": dict(Bundle.objects.filter(is_active=True).values_list("name", "path")),
        "airflow_python": airflow_pythons(str(conf.get("workers", "airflow_python") or "")),
        "hostname": socket.gethostname(),
        "heartbeat_seconds": conf.get("workers", "heartbeat_seconds"),
        "lease_seconds": conf.get("workers", "lease_seconds"),
        "api_connections": 1,
        "drain_timeout_seconds": conf.get("workers", "drain_timeout_seconds"),
        "killed_task_cleanup_time": conf.get("core", "killed_task_cleanup_time"),
        "import_timeout_seconds": conf.get("core", "dagbag_import_timeout"),
        "max_hosts": conf.get("workers", "host_max_count"),
        "host_idle_seconds": conf.get("workers", "host_idle_seconds"),
        "host_max_age_seconds": conf.get("workers", "host_max_age_seconds"),
        "host_max_memory_mb": conf.get("workers", "host_max_memory_mb"),
        "log_max_bytes": conf.get("workers", "log_max_bytes"),
    }


def execution_api_url() -> str:
    """Return where workers find the Execution API; without a setting, this machine's API server."""
    url = conf.get("core", "execution_api_server_url")
    return str(url) if url else f"http://localhost:{conf.get('api', 'port')}/execution/"


def airflow_pythons(text: str) -> dict[str, str]:
    """Return the Pythons by queue of ``[workers] airflow_python``: one path, or a JSON object. Raises ``ConfigurationError``."""
    if not text.strip().startswith("{"):
        return {"*": text.strip()} if text.strip() else {}
    try:
        found = json.loads(text)
    except ValueError as error:
        message = f"[workers] airflow_python is neither a path nor a JSON object of queue to path: {error}"
        raise ConfigurationError(message) from error
    if not all(isinstance(path, str) and path for path in found.values()):
        raise ConfigurationError(f"[workers] airflow_python must give a path for each queue, not {found!r}.")
    return {str(queue): path for queue, path in found.items()}
