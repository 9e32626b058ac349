"""Decides in which order secrets are looked for: the custom backend goes before the environment and the database."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from orchestrator.sdk.exceptions import AirflowSecretsBackendAccessDenied

log = logging.getLogger(__name__)

# Airflow's names of backends that are ours; all others are imported as they are named.
_OURS = "orchestrator.sdk.secrets.backends"
_OUR_NAMES = {
    "airflow.secrets.local_filesystem.LocalFilesystemBackend": f"{_OURS}.LocalFilesystemBackend",
    "airflow.secrets.environment_variables.EnvironmentVariablesBackend": f"{_OURS}.EnvironmentVariablesBackend",
}
_cache: dict[tuple[str, str], tuple[float, Any]] = {}


def custom_connection(conn_id: str, *, worker: bool) -> Any:
    """Return what the custom backend has for a connection, None where there is no backend, no answer or an error.

    Args:
        conn_id: name of the connection.
        worker: True in a task's process, where ``[workers] secrets_backend`` goes first.

    Raises:
        AirflowSecretsBackendAccessDenied: the backend forbids it, so that nothing else may be asked.
    """
    return _ask("connection", conn_id, worker, lambda backend: backend.get_connection(conn_id=conn_id))


def custom_variable(key: str, *, worker: bool) -> str | None:
    """Return what the custom backend has for a variable; see ``custom_connection``."""
    found: str | None = _ask("variable", key, worker, lambda backend: backend.get_variable(key=key))
    return found


def make_backend(class_path: str, kwargs: str) -> Any:
    """Return the backend of a class path; one per process and arguments.

    Args:
        class_path: dotted path; Airflow's own backends stand for ours.
        kwargs: JSON object.
    """
    return _made(_OUR_NAMES.get(class_path, class_path), kwargs)


@lru_cache(maxsize=4)
def _made(class_path: str, kwargs: str) -> Any:
    from orchestrator.sdk import airflow_names

    airflow_names.install()  # backends of provider packages import Airflow's modules
    module, _, name = class_path.rpartition(".")
    return getattr(import_module(module), name)(**json.loads(kwargs))


def _ask(kind: str, name: str, worker: bool, question: Callable[[Any], Any]) -> Any:
    from orchestrator.config import conf

    class_path, kwargs = _configured(worker)
    if not class_path:
        return None
    remembered = _cache.get((kind, name))
    if remembered and remembered[0] > time.monotonic():
        return remembered[1]
    try:
        found = question(make_backend(class_path, kwargs))
    except AirflowSecretsBackendAccessDenied:
        raise
    except Exception as error:
        # The message may quote the answer of the store; its type is enough to look further.
        log.warning(
            "Secrets backend %s has no answer for %s %r: %s; the next is asked.", class_path, kind, name, type(error).__name__
        )
        log.debug("Details of the secrets backend's error", exc_info=True)
        return None
    if conf.get("secrets", "use_cache"):
        _cache[kind, name] = (time.monotonic() + conf.get("secrets", "cache_ttl_seconds"), found)
    return found


def _configured(worker: bool) -> tuple[str, str]:
    from orchestrator.config import conf

    for section, key in (("workers", "secrets_backend"),) * worker + (("secrets", "backend"),):
        if class_path := conf.get(section, key):
            return str(class_path), json.dumps(conf.get(section, f"{key}_kwargs") or {}, sort_keys=True)
    return "", "{}"
