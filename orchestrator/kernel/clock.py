"""Decides what time it is: aware UTC for instants, the monotonic clock for durations."""

import time
from datetime import UTC, datetime

monotonic = time.monotonic


def utcnow() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)


def isoformat_z(instant: datetime) -> str:
    """``instant`` in UTC as ISO 8601 with ``Z``; microseconds only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
