"""Decides how a stretch of time after the data interval, or from now, is waited for."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection
from typing import Any

from orchestrator.sdk import timezone
from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.sensors.base import BaseSensorOperator


class TimeDeltaSensor(BaseSensorOperator):
    """Waits until ``delta`` (timedelta, or whole minutes) after the end of the data interval; without one, after run_after."""

    template_fields: Collection[str] = ("delta",)

    def __init__(
        self, *, delta: dt.timedelta | int, deferrable: bool | None = None, end_from_trigger: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.delta = delta
        self.deferrable = bool(default("operators", "default_deferrable", False)) if deferrable is None else deferrable
        self.end_from_trigger = end_from_trigger

    def _target(self, context: Any) -> dt.datetime:
        base = context.get("data_interval_end") or context["dag_run"].run_after
        return base + _delta(self.delta)  # type: ignore[no-any-return]

    def poke(self, context: Any) -> bool:
        """Return whether the time has come."""
        target = self._target(context)
        self.log.info("Checking if the delta has elapsed target_dttm=%s", target)
        return timezone.utcnow() > target

    def execute(self, context: Any) -> bool | None:
        """Poke, or hand the wait to the triggerer; True where a deferrable sensor has nothing to wait for."""
        if not self.deferrable:
            super().execute(context)
            return None
        from orchestrator.sdk.triggers.temporal import DateTimeTrigger

        target = self._target(context)
        if timezone.utcnow() <= target:
            trigger = DateTimeTrigger(moment=target, end_from_trigger=self.end_from_trigger)
            timeout = dt.timedelta(seconds=self.timeout)
            self.defer(trigger=trigger, method_name="execute_complete", timeout=timeout)
        return True

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """End: the time has come."""


class TimeDeltaSensorAsync(TimeDeltaSensor):
    """``TimeDeltaSensor`` that always waits in the triggerer."""

    def __init__(self, *, end_from_trigger: bool = False, delta: Any, **kwargs: Any) -> None:
        super().__init__(delta=delta, deferrable=True, end_from_trigger=end_from_trigger, **kwargs)


class WaitSensor(BaseSensorOperator):
    """Waits ``time_to_wait`` (timedelta, or whole minutes) from its start."""

    template_fields: Collection[str] = ("time_to_wait",)

    def __init__(self, time_to_wait: dt.timedelta | int, deferrable: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.time_to_wait = time_to_wait
        self.deferrable = bool(default("operators", "default_deferrable", False)) if deferrable is None else deferrable

    def execute(self, context: Any) -> None:
        """Sleep, or hand the wait to the triggerer."""
        wait = _delta(self.time_to_wait)
        if not self.deferrable:
            time.sleep(int(wait.total_seconds()))
            return
        from orchestrator.sdk.triggers.temporal import TimeDeltaTrigger

        trigger = TimeDeltaTrigger(wait, end_from_trigger=True)
        self.defer(trigger=trigger, method_name="execute_complete")

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """End: the time is over."""


def _delta(value: Any) -> dt.timedelta:
    """A number, also one out of a template, counts whole minutes."""
    return value if isinstance(value, dt.timedelta) else dt.timedelta(minutes=int(value))
