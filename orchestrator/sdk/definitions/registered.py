"""Decides under which name a class of a plugin is known on both sides of serialization."""

from __future__ import annotations

import inspect
from collections.abc import Mapping


def path_of(kind: type) -> str:
    """Return the import path of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def plugin_name(kind: type, registered: Mapping[str, type]) -> str:
    """Return the name under which a plugin has registered a class, or the same class that a DAG file imported by a longer path.

    Empty where no plugin has.
    """
    if registered.get(path_of(kind)) is kind:
        return path_of(kind)
    name = f"{kind.__module__.rpartition('.')[2]}.{kind.__qualname__}"
    try:
        same = name in registered and inspect.getsource(registered[name]) == inspect.getsource(kind)
    except (OSError, TypeError):
        return ""
    return name if same else ""
