"""Decides how a DAG file becomes DAG objects in a process that runs tasks."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import traceback
from typing import Any


class LoadError(Exception):
    """The file could not be imported; the text holds the reason and the traceback."""

    cause = "dag_import_error"


class VersionMissingError(LoadError):
    """The files of a commit cannot be had: not the author's fault, so the platform's own retries count."""

    cause = "launch_error"


def prepare_import_paths(paths: list[str]) -> None:
    """Make Airflow's names mean ours, and append the DAGs, plugins and bundle folders to where modules are found."""
    from orchestrator.sdk import airflow_names

    airflow_names.install()
    for path in [*paths, config_folder()]:
        if path and path not in sys.path:
            sys.path.append(path)


def config_folder() -> str:
    """Return the folder of ``airflow_local_settings.py``; empty where the home is not known."""
    home = os.environ.get("AIRFLOW_HOME")
    return os.path.join(home, "config") if home else ""


def path_of(message: dict[str, Any]) -> str:
    """Return the path of the DAG file; of a bundle with versions, after its version is on this machine.

    Raises:
        VersionMissingError: the version cannot be had; the text says why.
    """
    bundle = message.get("bundle") or {}
    if not bundle.get("version"):
        return str(message["path"])
    from orchestrator.config import ConfigurationError
    from orchestrator.sdk.bundles.git_commands import GitError
    from orchestrator.sdk.bundles.on_worker import folder_of_version

    try:
        folder = str(folder_of_version(bundle["name"], bundle["version"]))
    except (ConfigurationError, GitError, OSError, ValueError) as error:
        text = f"Version {bundle['version']} of bundle {bundle['name']!r} cannot be had on {os.uname().nodename}: {error}"
        raise VersionMissingError(text) from error
    sys.path.append(folder)
    return os.path.join(folder, message["path"])


def load_plugins(message: dict[str, Any]) -> None:
    """Load the plugins of the folders that the supervisor names, and those of installed packages."""
    from orchestrator.sdk.plugins.loading import configure, plugins

    configure(message.get("plugins_folder", ""), message.get("example_plugins_folder", ""), message.get("ignore_syntax", "glob"))
    plugins()


def load_dags(path: str) -> dict[str, Any]:
    """Import a file and return its DAGs by id.

    Raises:
        LoadError: the file is not there, or raised anything, SystemExit too.
    """
    if not os.path.exists(path):
        raise LoadError(f"The DAG file {path} does not exist on {os.uname().nodename}.")
    try:
        module = _import_file(path)
    except BaseException as error:
        text = "".join(traceback.format_exception(error))
        raise LoadError(f"The DAG file {path} cannot be imported: {type(error).__name__}: {error}\n{text}") from error
    from orchestrator.sdk.definitions.collect import collect_dags

    return {dag.dag_id: dag for dag in collect_dags(module) if _is_allowed(dag)}


def _is_allowed(dag: Any) -> bool:
    """Apply the cluster's policies as the parse process did; a DAG that they forbid now is left out, with the reason."""
    from orchestrator.sdk import policies

    try:
        policies.apply_to_dag(dag)
    except Exception as error:
        sys.stderr.write(f"DAG {dag.dag_id!r} is left out by a cluster policy: {type(error).__name__}: {error}\n")
        return False
    return True


def _import_file(path: str) -> Any:
    digest = hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()
    stem = os.path.splitext(os.path.basename(path))[0]
    name = f"unusual_prefix_{digest}_{stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
