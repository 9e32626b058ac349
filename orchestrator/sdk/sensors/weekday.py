"""Decides how a day of the week is waited for."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk import timezone
from orchestrator.sdk.definitions.weekdays import WeekDay
from orchestrator.sdk.sensors.base import BaseSensorOperator


class DayOfWeekSensor(BaseSensorOperator):
    """Waits until today, or the day of the logical date, is one of ``week_day``."""

    def __init__(self, *, week_day: Any, use_task_logical_date: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.week_day, self.use_task_logical_date = week_day, use_task_logical_date
        self._week_day_num = WeekDay.validate_week_day(week_day)

    def poke(self, context: Any) -> bool:
        """Return whether it is the day."""
        day = timezone.utcnow()
        if self.use_task_logical_date:
            day = context.get("logical_date") or context["dag_run"].run_after
        return day.isoweekday() in self._week_day_num
