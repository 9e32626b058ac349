"""Decides what installed provider packages say of themselves: read from their files, nothing of them is run.

The function that an entry point ``apache_airflow_provider`` names returns a dict; its parts are read where they are written out.
What a package computes stays unknown.
"""

from __future__ import annotations

import ast
import logging
from collections.abc import Collection
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

# What `providers` and the forms of connections show.
PARTS = (
    *("package-name", "name", "description", "connection-types", "triggers", "extra-links", "notifications", "logging"),
    *("secrets-backends", "auth-managers", "executors", "queues", "config"),
)


def provider_documents(parts: Collection[str] = PARTS) -> dict[str, dict[str, Any]]:
    """Return the parts of each installed package that are written out, by the name of its distribution."""
    found = {}
    for entry in entry_points(group="apache_airflow_provider"):
        package = entry.dist.name if entry.dist else entry.name
        try:
            found[package] = _document(entry, parts)
        except (OSError, SyntaxError, TypeError, ValueError) as error:
            log.warning("%s cannot be read, which is to say what %s brings: %s", entry.value, package, error)
    return found


def _document(entry: EntryPoint, parts: Collection[str]) -> dict[str, Any]:
    """Return the parts. Raises ``ValueError`` where one of them is not written out."""
    tree = ast.parse(_file_of(entry.module).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == entry.attr]
    dicts = [node.value for function in functions for node in ast.walk(function) if isinstance(node, ast.Return)]
    found = {}
    for document in [node for node in dicts if isinstance(node, ast.Dict)]:
        for key, value in zip(document.keys, document.values, strict=True):
            if isinstance(key, ast.Constant) and key.value in parts:
                found[str(key.value)] = ast.literal_eval(value)
    return found


def _file_of(module: str) -> Path:
    """Return the file of a module without importing the packages around it."""
    path: Any = None
    for part in module.split("."):
        spec = PathFinder.find_spec(part, path)
        if spec is None:
            raise ValueError(f"there is no module {module}")
        path = spec.submodule_search_locations
    if spec is None or not spec.origin:
        raise ValueError(f"{module} has no file")
    return Path(spec.origin)
