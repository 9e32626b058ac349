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


def prepare_import_paths(paths: list[str]) -> None:
    """Make Airflow's names mean ours, and append the DAGs, plugins and bundle folders to where modules are found."""
    from orchestrator.sdk import airflow_names

    airflow_names.install()
    for path in paths:
        if path and path not in sys.path:
            sys.path.append(path)


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

    return {dag.dag_id: dag for dag in collect_dags(module)}


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
