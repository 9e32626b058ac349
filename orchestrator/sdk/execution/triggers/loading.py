"""Decides how a trigger is made from its class path and its arguments."""

from __future__ import annotations

import importlib
import json
import os
import sys
from types import ModuleType
from typing import Any

from orchestrator.sdk.execution.triggers.waiting import WaitingTask
from orchestrator.sdk.serialization.values import decode
from orchestrator.sdk.triggers.base import BaseTrigger

_loaded_at: dict[str, float] = {}


def is_loaded(classpath: str) -> bool:
    """Tell whether the module of the class is imported already, so that making the trigger takes no time."""
    return classpath.rpartition(".")[0] in sys.modules


def make_trigger(classpath: str, kwargs: str, ti: dict[str, Any] | None) -> BaseTrigger:
    """Return the trigger.

    Args:
        classpath: import path of the class; ``airflow`` paths mean ours.
        kwargs: JSON object in the wire format of XComs.
        ti: ids of the attempt that waits.

    Raises whatever the import or the constructor raises; ``TypeError`` for a class that is no trigger.
    """
    module_name, _, name = classpath.rpartition(".")
    kind = getattr(_module(module_name), name)
    if not (isinstance(kind, type) and callable(getattr(kind, "run", None))):
        raise TypeError(f"{classpath} is no trigger: it must be a subclass of airflow.triggers.base.BaseTrigger.")
    trigger: BaseTrigger = kind(**decode(json.loads(kwargs or "{}"), trusted=True))
    trigger.task_instance = WaitingTask(ti) if ti else None
    return trigger


def _module(name: str) -> ModuleType:
    """Import a module; one whose file has changed since is read again, so that an author need not restart anything."""
    module = importlib.import_module(name)
    changed = _changed_at(module)
    if _loaded_at.setdefault(name, changed) != changed:
        module = importlib.reload(module)
        _loaded_at[name] = changed
    return module


def _changed_at(module: ModuleType) -> float:
    path = getattr(module, "__file__", None)
    try:
        return os.stat(path).st_mtime if path else 0.0
    except OSError:
        return 0.0
