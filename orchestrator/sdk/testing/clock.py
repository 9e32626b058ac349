"""Decides what time it is in a run in memory: a clock that leaps to the moment that everything waits for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch


class TravelClock:
    """The real time plus what was leapt over.

    Args:
        travels: True lets every wait of a sensor be a leap. False leaps only for what the clock alone decides, and waits
            really for the outside world.
    """

    def __init__(self, *, travels: bool = True) -> None:
        self.travels = travels
        self.leapt = timedelta(0)

    def now(self) -> datetime:
        """Return the present instant of the run."""
        return datetime.now(UTC) + self.leapt

    def leap_to(self, moment: datetime) -> None:
        """Make it ``moment`` now; the clock never goes back."""
        self.leapt += max(moment - self.now(), timedelta(0))

    def leap(self, seconds: float) -> None:
        """Let some seconds have passed."""
        self.leapt += timedelta(seconds=max(seconds, 0.0))

    def wait(self, seconds: float, *, leaps: bool) -> None:
        """Let some seconds pass, by a leap or really."""
        if leaps or self.travels:
            self.leap(seconds)
        else:
            time.sleep(max(seconds, 0.0))

    @contextmanager
    def shown_to(self, task: Any) -> Iterator[None]:
        """Let sensors and triggers read this clock, and wait by it, while ``task`` runs."""
        leaps = waits_for_the_clock(task)
        watch = SimpleNamespace(
            time=lambda: time.time() + self.leapt.total_seconds(), sleep=lambda seconds: self.wait(seconds, leaps=leaps)
        )
        with ExitStack() as stack:
            for target, value in self._seams(watch):
                stack.enter_context(patch(target, value))
            yield

    def _seams(self, watch: Any) -> list[tuple[str, Any]]:
        """Return the names through which the operators of this package read the time and wait."""

        class Pause:
            """Stands for the event by which an operator waits for another run."""

            def wait(pause, seconds: float) -> bool:
                """Wait by the clock of the run."""
                self.leap(seconds)
                return False

        return [
            ("orchestrator.sdk.timezone.utcnow", self._utcnow),
            ("orchestrator.sdk.sensors.base.time", watch),
            ("orchestrator.sdk.execution.trigger_run.threading", SimpleNamespace(Event=Pause)),
        ]

    def _utcnow(self) -> Any:
        import pendulum

        return pendulum.now("UTC") + self.leapt


def waits_for_the_clock(task: Any) -> bool:
    """Return whether only the time decides when this sensor is done: then nothing is lost by a leap."""
    from orchestrator.sdk.sensors.date_time import DateTimeSensor
    from orchestrator.sdk.sensors.time import TimeSensor
    from orchestrator.sdk.sensors.time_delta import TimeDeltaSensor
    from orchestrator.sdk.sensors.weekday import DayOfWeekSensor

    kind = task if isinstance(task, type) else getattr(task, "operator_class", None) or type(task)
    return isinstance(kind, type) and issubclass(kind, DateTimeSensor | TimeSensor | TimeDeltaSensor | DayOfWeekSensor)
