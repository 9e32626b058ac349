"""Decides the triggers that wait for a moment."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

from orchestrator.sdk import timezone
from orchestrator.sdk.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent

PATH = "airflow.providers.standard.triggers.temporal.DateTimeTrigger"


class DateTimeTrigger(BaseTrigger):
    """Fires at ``moment`` (aware); with ``end_from_trigger`` the task ends there."""

    def __init__(
        self,
        moment: dt.datetime | str | None = None,
        *,
        target_time: dt.datetime | str | None = None,
        end_from_trigger: bool = False,
    ) -> None:
        super().__init__()
        given = target_time if moment is None else moment
        value = timezone.parse(given) if isinstance(given, str) else given
        if not isinstance(value, dt.datetime):
            raise TypeError(f"Expected datetime.datetime type for moment. Got {type(value)}")
        if value.tzinfo is None:
            raise ValueError(f"You cannot pass naive datetimes: {value!r}")
        self.moment = timezone.convert_to_utc(value)
        self.end_from_trigger = end_from_trigger

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments."""
        return PATH, {"moment": self.moment, "end_from_trigger": self.end_from_trigger}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Sleep until the moment; long sleeps are cut, so that a changed clock is seen."""
        while (left := (self.moment - timezone.utcnow()).total_seconds()) > 0:  # type: ignore[operator]
            await asyncio.sleep(min(left, 3600.0))
        yield TaskSuccessEvent() if self.end_from_trigger else TriggerEvent(self.moment)


class TimeDeltaTrigger(DateTimeTrigger):
    """Fires after ``delta`` from now."""

    def __init__(self, delta: dt.timedelta, *, end_from_trigger: bool = False) -> None:
        super().__init__(moment=timezone.utcnow() + delta, end_from_trigger=end_from_trigger)
