"""Decides how one value of a DAG file is written as JSON: the same bytes for the same file, in every process."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any

from orchestrator.sdk.definitions.dependency import ResolveMixin
from orchestrator.sdk.definitions.param import Param, ParamsDict
from orchestrator.sdk.definitions.sentinels import ArgNotSet, SetDuringExecution

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
Json = Any


def instant(value: datetime | None) -> str | None:
    """Return the instant in UTC as ISO 8601 with ``Z``."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def seconds(value: timedelta | None) -> float | None:
    """Return the duration in seconds."""
    return None if value is None else value.total_seconds()


def plain(value: Any) -> Json:
    """Return the value as JSON types; what JSON does not have becomes text."""
    if value is None or isinstance(value, bool | int | float) or type(value) is str:
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Param):
        return plain(value.value) if not isinstance(value.value, ArgNotSet) else None
    if isinstance(value, ParamsDict):
        return {name: plain(param) for name, param in value.items()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, SetDuringExecution):
        return value.serialize()
    if isinstance(value, datetime):
        return instant(value) if value.tzinfo else value.isoformat()  # type: ignore[return-value]
    if isinstance(value, date | timedelta):
        return str(value)
    if callable(value) and not isinstance(value, ResolveMixin):
        return code(value)
    return _ADDRESS.sub("", str(value))


def code(function: Any) -> str:
    """Return a callable as its qualified name and a hash of its source, ``module.name@12 hex digits``."""
    target = inspect.unwrap(function) if callable(function) else function
    name = f"{getattr(target, '__module__', '')}.{getattr(target, '__qualname__', type(target).__qualname__)}"
    try:
        source = inspect.getsource(target)
    except (OSError, TypeError):
        return name
    return f"{name}@{hashlib.sha256(source.encode()).hexdigest()[:12]}"


def params(value: Any) -> dict[str, Json]:
    """Return params by name as value, description and schema."""
    items = value if isinstance(value, ParamsDict) else ParamsDict(value or {})
    return {name: _param(param) for name, param in items.items()}


def _param(param: Param) -> dict[str, Json]:
    written = param.serialize()
    return {
        "value": plain(written["value"]),
        "description": written["description"],
        "schema": plain(written["schema"]),
        "source": written["source"],
    }
