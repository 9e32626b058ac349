"""Decides how a time of the day is waited for."""

from __future__ import annotations

import datetime as dt
from typing import Any

from orchestrator.sdk import timezone
from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.sensors.base import BaseSensorOperator
from orchestrator.sdk.triggers.base import StartTriggerArgs

_TRIGGER = "airflow.providers.standard.triggers.temporal.DateTimeTrigger"


class TimeSensor(BaseSensorOperator):
    """Waits until ``target_time`` of today in the zone of the DAG, also where the time has a zone of its own."""

    start_trigger_args = StartTriggerArgs(
        trigger_cls=_TRIGGER, next_method="execute_complete", trigger_kwargs={"moment": "", "end_from_trigger": False}
    )
    start_from_trigger = False

    def __init__(
        self,
        *,
        target_time: dt.time,
        deferrable: bool | None = None,
        start_from_trigger: bool = False,
        end_from_trigger: bool = False,
        trigger_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        zone = self.dag.timezone if self.has_dag() else timezone.utc
        today = dt.datetime.now(zone).date()
        self.target_time = target_time
        self.target_datetime = timezone.convert_to_utc(
            dt.datetime.combine(today, target_time.replace(tzinfo=None)).replace(tzinfo=zone)
        )
        self.deferrable = bool(default("operators", "default_deferrable", False)) if deferrable is None else deferrable
        self.start_from_trigger, self.end_from_trigger = start_from_trigger, end_from_trigger
        if start_from_trigger:
            arguments = {"moment": self.target_datetime, "end_from_trigger": end_from_trigger}
            self.start_trigger_args = StartTriggerArgs(_TRIGGER, "execute_complete", arguments)

    def execute(self, context: Any) -> None:
        """Poke, or hand the wait to the triggerer."""
        if not self.deferrable:
            super().execute(context)
            return
        from orchestrator.sdk.triggers.temporal import DateTimeTrigger

        trigger = DateTimeTrigger(moment=self.target_datetime, end_from_trigger=self.end_from_trigger)
        self.defer(trigger=trigger, method_name="execute_complete")

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """End: the time has come."""

    def poke(self, context: Any) -> bool:
        """Return whether the time has come."""
        self.log.info("Checking if the time (%s) has come", self.target_datetime)
        return timezone.utcnow() > self.target_datetime  # type: ignore[operator]


class TimeSensorAsync(TimeSensor):
    """``TimeSensor`` that always waits in the triggerer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(deferrable=True, **kwargs)
