"""Decides how what plugins bring becomes known to the rest of the process: macros, timetables, links, references."""

from __future__ import annotations

import logging
import sys
from types import ModuleType
from typing import Any

from orchestrator.sdk.plugins.loading import Loaded

log = logging.getLogger("airflow.plugins_manager")


def register(loaded: Loaded) -> None:
    """Make macros, timetables, mappers and windows usable; what cannot be registered becomes an error of its plugin."""
    for plugin in loaded.plugins:
        for bring in (_macros, _timetables, _partitions):
            try:
                bring(plugin)
            except Exception as error:
                log.exception("Failed to register %s of plugin %s", bring.__name__.strip("_"), plugin.name)
                loaded.errors[str(plugin.source)] = str(error) or type(error).__name__


def _macros(plugin: Any) -> None:
    """``{{ macros.<plugin>.<function>() }}`` and ``from airflow.macros.<plugin> import <function>``."""
    if not plugin.macros:
        return
    from orchestrator.sdk.execution import macros

    name = str(plugin.name)
    module = ModuleType(f"airflow.macros.{name}", f"Macros of the plugin {name}.")
    vars(module).update({function.__name__: function for function in plugin.macros})
    for prefix in ("airflow.macros", "airflow.sdk.execution_time.macros"):
        sys.modules[f"{prefix}.{name}"] = module
        parent = sys.modules.get(prefix)
        if parent is not None:
            setattr(parent, name, module)
    setattr(macros, name, module)


def _timetables(plugin: Any) -> None:
    if not plugin.timetables:
        return
    from orchestrator.sdk.definitions.timetables.codec import register_timetable

    for kind in plugin.timetables:
        register_timetable(kind)


def _partitions(plugin: Any) -> None:
    if not (plugin.partition_mappers or plugin.windows):
        return
    from orchestrator.sdk.definitions.partitions.codec import register_partition_class

    for kind in (*plugin.partition_mappers, *plugin.windows):
        register_partition_class(kind)


def class_path(kind: Any) -> str:
    """Return the import path of a class or function, or the name of a module."""
    if isinstance(kind, ModuleType):
        return kind.__name__
    module, name = getattr(kind, "__module__", ""), getattr(kind, "__qualname__", None)
    if name is None:
        return class_path(type(kind))
    return f"{module}.{name}" if module else str(name)
