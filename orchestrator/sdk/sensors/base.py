"""Decides how a sensor waits: poking in place or giving its slot back in between, how long, and what a time-out means."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.definitions.operator import BaseOperator
from orchestrator.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralTimeout,
)

SEVEN_DAYS = 604800.0
LONGEST_BACKOFF = timedelta.max.total_seconds() - 1


class PokeReturnValue:
    """What ``poke`` may return beside a bool: whether the wait is over, and the value to push."""

    def __init__(self, is_done: bool, xcom_value: Any = None) -> None:
        self.is_done, self.xcom_value = is_done, xcom_value

    def __bool__(self) -> bool:
        return self.is_done


class BaseSensorOperator(BaseOperator):
    """Base of sensors: a subclass gives ``poke(context)``. Durations are timedeltas or seconds."""

    ui_color = "#e6f1f2"
    valid_modes = ("poke", "reschedule")
    _is_sensor = True

    def __init__(
        self,
        *,
        poke_interval: timedelta | float = 60,
        timeout: timedelta | float | None = None,
        soft_fail: bool = False,
        mode: str = "poke",
        exponential_backoff: bool = False,
        max_wait: timedelta | float | None = None,
        silent_fail: bool = False,
        never_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.poke_interval = self._seconds("poke_interval", poke_interval)
        if timeout is None:
            timeout = float(default("sensors", "default_timeout", SEVEN_DAYS))
        self.timeout = self._seconds("timeout", timeout)
        self.max_wait = None if max_wait is None else self._seconds("max_wait", max_wait)
        self.mode, self.exponential_backoff = mode, exponential_backoff
        self.soft_fail, self.silent_fail, self.never_fail = soft_fail, silent_fail, never_fail
        if soft_fail and never_fail:
            raise ValueError(f"sensor {self.task_id!r} cannot have both soft_fail and never_fail")
        if mode not in self.valid_modes:
            raise ValueError(f"mode of sensor {self.task_id!r} is {mode!r}; it must be one of {', '.join(self.valid_modes)}")

    def _seconds(self, name: str, value: timedelta | float) -> float:
        number = value.total_seconds() if isinstance(value, timedelta) else value
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ValueError(f"{name} of sensor {self.task_id!r} must be seconds or a timedelta, not {value!r}")
        if number < 0:
            raise ValueError(f"{name} of sensor {self.task_id!r} is {value!r}; it cannot be negative")
        return number

    @property
    def reschedule(self) -> bool:
        """Return whether the sensor gives its slot back between pokes."""
        return self.mode == "reschedule"

    def poke(self, context: Any) -> bool | PokeReturnValue:
        """Return whether the wait is over."""
        raise NotImplementedError(f"{type(self).__name__} must define poke(context)")

    def execute(self, context: Any) -> Any:
        """Poke until the wait is over; returns the value of a ``PokeReturnValue``.

        Raises ``AirflowSensorTimeout`` (or skips, with ``soft_fail``), and ``AirflowRescheduleException`` between pokes.
        """
        started, poke_count = self._start(context), 1

        def run_duration() -> float:
            return time.time() - started

        while True:
            answer = self._poke_once(context)
            if answer:
                return answer.xcom_value if isinstance(answer, PokeReturnValue) else None
            if run_duration() > self.timeout:
                self._time_out(run_duration())
            wait = self._get_next_poke_interval(started, run_duration, poke_count)
            if self.reschedule:
                from orchestrator.sdk import timezone

                raise AirflowRescheduleException(timezone.utcnow() + timedelta(seconds=wait))
            time.sleep(wait)
            poke_count += 1

    def _start(self, context: Any) -> float:
        """Return when the first poke of this try was, in POSIX seconds."""
        first = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        return first.timestamp() if first is not None else time.time()

    def _poke_once(self, context: Any) -> bool | PokeReturnValue:
        try:
            return self.poke(context)
        except (AirflowSensorTimeout, AirflowTaskTimeout, AirflowFailException) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(f"Skipping due to {type(error).__name__}: {error}") from error
            raise
        except AirflowSkipException:
            raise
        except Exception as error:
            if self.silent_fail:
                self.log.exception("Sensor poke failed")
                return False
            if self.never_fail:
                raise AirflowSkipException(f"Skipping due to {type(error).__name__}: {error}") from error
            raise

    def _time_out(self, duration: float) -> None:
        text = f"Sensor has timed out; run duration of {duration} seconds exceeds the specified timeout of {self.timeout}."
        if self.soft_fail:  # never_fail is about what poke raises, not about time
            raise AirflowSkipException(text)
        raise AirflowSensorTimeout(text)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        """Go on after a deferral; a time-out of the trigger is one of the sensor, ``soft_fail`` and ``never_fail`` skip."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowException as error:
            if (self.soft_fail or self.never_fail) and not isinstance(error, AirflowSkipException):
                raise AirflowSkipException(f"Skipping due to {type(error).__name__}: {error}") from error
            if isinstance(error, TaskDeferralTimeout):
                raise AirflowSensorTimeout(*error.args) from error
            raise

    def _get_next_poke_interval(self, started_at: datetime | float, run_duration: Callable[[], float], poke_count: int) -> float:
        if not self.exponential_backoff:
            return self.poke_interval
        if self.reschedule:
            # Nobody counts the pokes of earlier processes: their number follows from the time since the first.
            elapsed, passed, poke_count = run_duration(), 0.0, 0
            while passed <= elapsed:
                poke_count += 1
                passed += self._backoff(started_at, poke_count)
        # A poke is due at the time-out at the latest.
        wait = min(self._backoff(started_at, poke_count), max(self.timeout - int(run_duration()), 0.0))
        return min(self.max_wait, wait) if self.max_wait else wait

    def _backoff(self, started_at: datetime | float, poke_count: int) -> float:
        """Return the seconds after a poke (from 1); the same task waits the same time again, different tasks spread out."""
        shortest = max(int(self.poke_interval * 2.0 ** (min(poke_count, 64) - 2)), 1)
        key = f"{self.dag_id}#{self.task_id}#{started_at}#{poke_count}"
        jitter = int(hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest(), 16) % shortest
        return min(float(shortest + jitter), LONGEST_BACKOFF)


def poke_mode_only(cls: type) -> type:
    """Make a sensor class refuse every mode but ``poke``; raises ``ValueError`` when another is set."""
    if not issubclass(cls, BaseSensorOperator):
        raise ValueError(
            f"poke_mode_only decorator should only be applied to subclasses of BaseSensorOperator, not {cls.__name__}"
        )

    def only_poke(self: Any, value: str) -> None:
        if value != "poke":
            raise ValueError(f"Cannot set mode to {value!r}. Only 'poke' is acceptable")

    setattr(cls, "mode", property(lambda self: "poke", only_poke))  # noqa: B010  (a property in place of an attribute)
    return cls
