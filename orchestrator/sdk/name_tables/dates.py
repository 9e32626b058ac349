"""Decides the date functions of older DAG files."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from orchestrator.sdk.definitions.timetables.presets import CRON_PRESETS

cron_presets = dict(CRON_PRESETS)


def days_ago(n: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0) -> Any:
    """Return the start of the day ``n`` days ago, in UTC."""
    from orchestrator.sdk import timezone

    today = timezone.utcnow().replace(hour=hour, minute=minute, second=second, microsecond=microsecond)
    return today - timedelta(days=n)
