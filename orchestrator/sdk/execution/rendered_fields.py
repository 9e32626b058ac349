"""Decides how rendered template fields are shown to people: as JSON where they are, as text otherwise, cut when long."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 20


def shown_fields(task: Any) -> dict[str, Any]:
    """Return every template field of the task as JSON, each at most ``[core] max_templated_field_length`` characters."""
    from orchestrator.sdk.configuration import conf

    limit = conf.getint("core", "max_templated_field_length", fallback=4096)
    return {name: _shown(getattr(task, name, None), limit) for name in task.template_fields}


def _shown(value: Any, limit: int) -> Any:
    plain = _plain(value, 0)
    if plain is None or isinstance(plain, bool | int | float):
        return plain
    text = plain if isinstance(plain, str) else json.dumps(plain, default=str)
    if len(text) <= limit:
        return plain
    note = "Truncated. You can change this behaviour in [core]max_templated_field_length. "
    return f"{note}{text[: max(limit - len(note) - 6, 0)]!r}... "


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None  # JSON has no NaN; Airflow shows null too
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if depth < MAX_DEPTH:
        if isinstance(value, dict):
            return {str(key): _plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [_plain(item, depth + 1) for item in value]
        if isinstance(value, set | frozenset):
            return sorted((_plain(item, depth + 1) for item in value), key=str)
        if callable(getattr(value, "serialize", None)) and not isinstance(value, type):
            return _serialized(value)
    return str(value)


def _serialized(value: Any) -> Any:
    try:
        document = value.serialize()
        json.dumps(document)
    except Exception:
        return str(value)
    return document
