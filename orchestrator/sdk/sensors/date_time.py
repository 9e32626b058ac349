"""Decides how a date is waited for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, NoReturn

from orchestrator.sdk import timezone
from orchestrator.sdk.sensors.base import BaseSensorOperator
from orchestrator.sdk.triggers.base import StartTriggerArgs

_TRIGGER = "airflow.providers.standard.triggers.temporal.DateTimeTrigger"


class DateTimeSensor(BaseSensorOperator):
    """Waits until ``target_time``: a datetime, or text (or a template) that is one."""

    template_fields: Collection[str] = ("target_time",)

    def __init__(self, *, target_time: str | dt.datetime, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(target_time, dt.datetime):
            self.target_time: Any = target_time.isoformat()
        elif isinstance(target_time, str) or hasattr(target_time, "iter_references"):
            self.target_time = target_time
        else:
            raise TypeError(f"Expected str, datetime or XComArg for target_time of {self.task_id!r}, got {type(target_time)}")

    @property
    def _moment(self) -> dt.datetime:
        value = self.target_time
        return timezone.convert_to_utc(value) if isinstance(value, dt.datetime) else timezone.parse(value)  # type: ignore[return-value]

    def poke(self, context: Any) -> bool:
        """Return whether the time has come."""
        self.log.info("Checking if the time (%s) has come", self.target_time)
        return timezone.utcnow() > self._moment


class DateTimeSensorAsync(DateTimeSensor):
    """Waits in the triggerer."""

    start_trigger_args = StartTriggerArgs(
        trigger_cls=_TRIGGER, next_method="execute_complete", trigger_kwargs={"moment": "", "end_from_trigger": False}
    )
    start_from_trigger = False

    def __init__(
        self,
        *,
        start_from_trigger: bool = False,
        end_from_trigger: bool = False,
        trigger_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.end_from_trigger, self.start_from_trigger = end_from_trigger, start_from_trigger
        if start_from_trigger:
            arguments = {"moment": self._moment, "end_from_trigger": end_from_trigger}
            self.start_trigger_args = StartTriggerArgs(_TRIGGER, "execute_complete", arguments)

    def execute(self, context: Any) -> NoReturn:
        """Hand the wait to the triggerer."""
        from orchestrator.sdk.triggers.temporal import DateTimeTrigger

        trigger = DateTimeTrigger(moment=self._moment, end_from_trigger=self.end_from_trigger)
        self.defer(trigger=trigger, method_name="execute_complete")

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """End: the time has come."""
