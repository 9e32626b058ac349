"""Decides how ``default_args`` are written for readers: durations as ISO 8601, callbacks only as there or not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from orchestrator.sdk.serialization.durations import iso_duration
from orchestrator.sdk.serialization.plain_values import Json, plain

_CALLBACKS = frozenset(f"on_{event}_callback" for event in ("execute", "failure", "success", "retry", "skipped"))


def default_arguments(arguments: Mapping[str, Any]) -> dict[str, Json]:
    """Return the default arguments of a DAG as JSON types; a callback becomes ``has_<name>``, true, where it is set."""
    written: dict[str, Json] = {}
    for name, value in arguments.items():
        if name not in _CALLBACKS:
            written[name] = _plain(value)
        elif value:
            written[f"has_{name}"] = True
    return written


def _plain(value: Any) -> Json:
    if isinstance(value, timedelta):
        return iso_duration(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return plain(value)
