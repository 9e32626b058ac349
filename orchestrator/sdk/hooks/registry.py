"""Decides which hook serves a type of connection: what the installed provider packages say."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any


@cache
def hook_class_names() -> dict[str, str]:
    """Return the dotted paths of hook classes by connection type; a provider that cannot be asked is left out."""
    found = {
        "fs": "airflow.providers.standard.hooks.filesystem.FSHook",
        "package_index": "airflow.providers.standard.hooks.package_index.PackageIndexHook",
    }
    for entry in entry_points(group="apache_airflow_provider"):
        try:
            info = entry.load()()
        except Exception:  # noqa: S112  one broken package hides its own types only
            continue
        for item in info.get("connection-types") or ():
            found[item["connection-type"]] = item["hook-class-name"]
    return found


def make_hook(connection: Any, hook_params: dict[str, Any] | None = None) -> Any:
    """Return a hook for the connection, None where no installed package has one. Raises what the package raises."""
    from orchestrator.sdk import airflow_names

    name = hook_class_names().get(connection.conn_type or "")
    if name is None:
        return None
    airflow_names.install()
    module, _, attribute = name.rpartition(".")
    kind = getattr(import_module(module), attribute)
    argument = getattr(kind, "conn_name_attr", None) or "conn_id"
    return kind(**{argument: connection.conn_id, **(hook_params or {})})
