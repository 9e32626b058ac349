"""Decides the few configured values that the definition of a DAG needs, without loading the configuration early."""

from __future__ import annotations

from typing import Any


def default(section: str, key: str, fallback: Any) -> Any:
    """Return the configured value of an option, or ``fallback`` where the configuration does not have it."""
    try:
        from orchestrator.config import conf
    except ImportError:
        return fallback
    try:
        value = conf.get(section, key)
    except KeyError:
        return fallback
    return fallback if value is None else value
