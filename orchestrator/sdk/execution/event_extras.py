"""Decides how the extra of an asset event is written down: as plain JSON, with dates as ISO text and without NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

_AS_TEXT = (Decimal, UUID, PurePath, timedelta)


def plain_extra(value: Any) -> Any:
    """Return the value as JSON types; NaN and infinity become null, as in Airflow.

    Raises ``TypeError`` that names a value which JSON cannot hold: better than an event that tells of an object's address.
    """
    if isinstance(value, Enum):
        return plain_extra(value.value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain_extra(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_extra(item) for item in value]
    if isinstance(value, _AS_TEXT):
        return str(value)
    raise TypeError(f"The extra of an asset event holds {value!r:.100}, a {type(value).__name__}, which JSON cannot hold")
