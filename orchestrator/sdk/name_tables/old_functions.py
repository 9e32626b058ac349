"""Decides small functions that older DAG files and plugins import from ``airflow.utils``."""

from __future__ import annotations

import importlib
import itertools
import logging
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

from orchestrator.sdk.definitions.node import validate_key

__all__ = [
    "LoggingMixin",
    "TemporaryDirectory",
    "chunks",
    "exactly_one",
    "import_string",
    "is_container",
    "merge_dicts",
    "prune_dict",
    "validate_key",
]


class LoggingMixin:
    """Gives ``self.log``."""

    @property
    def log(self) -> logging.Logger:
        """Return the logger of the class."""
        return logging.getLogger(f"{type(self).__module__}.{type(self).__qualname__}")


def import_string(dotted_path: str) -> Any:
    """Return what an import path names; raises ``ImportError``."""
    module, _, name = dotted_path.rpartition(".")
    if not module:
        raise ImportError(f"{dotted_path} doesn't look like a module path")
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError:
        raise ImportError(f'Module "{module}" does not define a "{name}" attribute/class') from None


def chunks(items: list[Any], chunk_size: int) -> Iterator[list[Any]]:
    """Return slices of at most ``chunk_size`` items."""
    if not isinstance(chunk_size, int) or chunk_size <= 0:
        raise ValueError("Chunk size must be a positive integer")
    for start in itertools.count(0, chunk_size):
        if start >= len(items):
            return
        yield items[start : start + chunk_size]


def exactly_one(*args: Any) -> bool:
    """Return whether exactly one argument is true."""
    return sum(map(bool, args)) == 1


def is_container(obj: Any) -> bool:
    """Return whether the thing can be iterated over and is no text."""
    return hasattr(obj, "__iter__") and not isinstance(obj, str)


def merge_dicts(first: dict[Any, Any], second: dict[Any, Any]) -> dict[Any, Any]:
    """Return both, inner dicts merged too; the second wins."""
    merged = dict(first)
    for key, value in second.items():
        both = isinstance(merged.get(key), dict) and isinstance(value, dict)
        merged[key] = merge_dicts(merged[key], value) if both else value
    return merged


def prune_dict(value: Any, mode: str = "strict") -> Any:
    """Return the value without None (``strict``) or without everything empty (``truthy``), inside too."""
    if mode not in ("strict", "truthy"):
        raise ValueError("mode must be one of {'strict', 'truthy'}")

    def dropped(item: Any) -> bool:
        return item is None if mode == "strict" else not bool(item)

    if isinstance(value, dict):
        return {key: kept for key, item in value.items() if not dropped(kept := prune_dict(item, mode))}
    if isinstance(value, list):
        return [kept for item in value if not dropped(kept := prune_dict(item, mode))]
    return value
