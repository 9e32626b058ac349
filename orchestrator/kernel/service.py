"""Decides the one loop of every long-lived process: when duties run, how it sleeps, how it stops.

A duty is an object with ``name`` and ``run_once(limit) -> Result``. Three optional attributes change when it runs:
``periodic = True`` (only when its ``next_in`` is over, not at every wake-up), ``poll_seconds`` (how long it may go without a
wake-up, for a duty all of whose news are announced) and ``limit`` (how much it does in one round).
An optional ``close()`` is called when the loop has ended.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import uniform
from types import FrameType
from typing import Any, Protocol

from orchestrator.kernel.backoff import delay
from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.readiness import Descriptor, readable
from orchestrator.kernel.telemetry import count, stopwatch
from orchestrator.kernel.wakeup import Wakeup

log = logging.getLogger(__name__)

DEFAULT_LIMIT = 200
BACKOFF_BASE_SECONDS = 1.0
BACKOFF_CAP_SECONDS = 60.0
JITTER = 0.1
BUSY_ROUND = 6


@dataclass(frozen=True, slots=True)
class Result:
    """What one round of a duty did.

    ``done`` counts what was changed. ``more`` means there is more to do now. ``next_in`` is the number of seconds after
    which the duty has to run at the latest; None leaves that to wake-ups and polling.
    """

    done: int = 0
    more: bool = False
    next_in: float | None = None


class Duty(Protocol):
    """One periodic job of a service."""

    @property
    def name(self) -> str:
        """Shown in logs and metrics."""

    def run_once(self, limit: int) -> Result:
        """Do at most about ``limit`` things, each with its own short transaction."""


@dataclass(slots=True)
class _Scheduled:
    """A duty with the time of its next round (monotonic seconds) and its failures in a row."""

    duty: Duty
    due_at: float = 0.0
    failures: int = 0

    @property
    def is_periodic(self) -> bool:
        return bool(getattr(self.duty, "periodic", False))

    @property
    def poll_seconds(self) -> float:
        return float(getattr(self.duty, "poll_seconds", 0.0))

    @property
    def limit(self) -> int:
        return int(getattr(self.duty, "limit", DEFAULT_LIMIT))


def _nothing() -> None:
    return None


@dataclass
class Service:
    """Runs ``duties`` until SIGTERM or SIGINT.

    ``on_wake`` is called before each round (database reconnect). ``extra_fds`` are descriptors with the callback that reads
    them; a callback that returns False says that no duty has to run for it. The first signal ends claiming: ``on_drain`` is
    called, then only ``extra_fds`` are served until ``is_drained`` or ``drain_timeout_seconds``, then ``on_stop``. The second
    signal ends the process at once. After a round that did ``BUSY_ROUND`` things or more the loop lets news gather for
    ``gather_seconds``. ``loop_metric`` is the name under which the time of a round is measured, where somebody takes it.
    ``is_trusted`` turning False (lost heartbeat) stops the service as a signal does.
    """

    name: str
    duties: Sequence[Duty]
    wakeup: Wakeup
    poll_seconds: float = 1.0
    on_start: Callable[[], Any] = _nothing
    on_stop: Callable[[], Any] = _nothing
    on_wake: Callable[[], Any] = _nothing
    on_drain: Callable[[], Any] = _nothing
    is_drained: Callable[[], bool] = lambda: True
    is_trusted: Callable[[], bool] = lambda: True
    drain_timeout_seconds: float = 30.0
    extra_fds: dict[Descriptor, Callable[[], Any]] = field(default_factory=dict)
    gather_seconds: float = 0.0
    loop_metric: str = ""
    rounds: int = 0
    idle_rounds: int = 0
    _stops: int = 0
    _done: int = 0
    _round_at: float = 0.0
    _poll_at: float = 0.0

    def __post_init__(self) -> None:
        self._pipe_read, self._pipe_write = os.pipe()
        os.set_blocking(self._pipe_read, False)
        os.set_blocking(self._pipe_write, False)
        self._scheduled = [_Scheduled(duty) for duty in self.duties]

    @property
    def is_stopping(self) -> bool:
        """True after the first signal or ``stop()``."""
        return self._stops > 0

    def stop(self) -> None:
        """Ask the loop to stop; safe from any thread and from signal handlers."""
        self._stops += 1
        # A full pipe wakes as well.
        try:
            os.write(self._pipe_write, b"s")
        except BlockingIOError:
            return

    def run(self) -> None:
        """Run until stopped. Errors of ``on_start`` are raised, errors of duties are not."""
        handlers = self._install_handlers()
        try:
            self.on_start()
            log.info("%s started", self.name)
            self._loop()
            log.info("%s drains", self.name)
            self._drain()
        finally:
            for duty in self.duties:
                self._attempt(f"the end of {duty.name}", getattr(duty, "close", _nothing))
            self.on_stop()
            self.wakeup.close()
            for number, handler in handlers.items():
                signal.signal(number, handler)
        log.info("%s stopped", self.name)

    def run_due(self, woken: bool = True) -> bool:
        """One round: run every duty that is due (all but periodic ones where ``woken``). True means there is more to do.

        What one duty did is news for those after it, so they run in the same round.
        """
        if not self.loop_metric:
            return self._round(woken)
        with stopwatch(self.loop_metric):
            return self._round(woken)

    def _round(self, woken: bool) -> bool:
        self.rounds += 1
        self._attempt("database", self.on_wake)
        now = self._round_at = monotonic()
        if now >= self._poll_at:
            # Duties that only poll do so in one round: a wake-up of the process for each costs more than most of them.
            self._poll_at = now + self.poll_seconds * (1 + uniform(JITTER / 2, JITTER))  # noqa: S311
        more = False
        self._done = 0
        for entry in self._scheduled:
            if self.is_stopping:
                return False
            if entry.due_at <= now or (woken and not entry.is_periodic and not entry.failures):
                result = self._run_duty(entry)
                more, woken = more or result.more, woken or result.done > 0
                self._done += result.done
        self.idle_rounds += self._done == 0
        return more

    def _loop(self) -> None:
        more, woken = False, True
        while not self.is_stopping:
            if not self.is_trusted():
                log.error("%s cannot renew its heartbeat and stops before others take over its work", self.name)
                self.stop()
                return
            more = self.run_due(woken)
            if self.gather_seconds and self._done >= BUSY_ROUND:
                # News of a busy time arrive one by one: a round for each would cost more than what it decides.
                readable(self.gather_seconds, [self._pipe_read])
            woken = self._wait(0.0 if more else self._seconds_to_next()) or more

    def _run_duty(self, entry: _Scheduled) -> Result:
        try:
            result = entry.duty.run_once(entry.limit)
        except Exception:
            entry.failures += 1
            pause = delay(entry.failures, BACKOFF_BASE_SECONDS, BACKOFF_CAP_SECONDS, JITTER)
            entry.due_at = monotonic() + pause
            count("duty.failed", duty=entry.duty.name)
            log.exception("Duty %s failed %d times in a row; next try in %.1f s", entry.duty.name, entry.failures, pause)
            return Result()
        entry.failures = 0
        entry.due_at = self._due_at(result, entry)
        return result

    def _due_at(self, result: Result, entry: _Scheduled) -> float:
        if result.more:
            return monotonic()
        polled = max(self._poll_at, self._round_at + entry.poll_seconds)
        if result.next_in is None:
            return polled
        asked = monotonic() + max(0.0, result.next_in)
        return asked if entry.is_periodic else min(asked, polled)

    def _seconds_to_next(self) -> float:
        due_at = min((entry.due_at for entry in self._scheduled), default=monotonic() + self.poll_seconds)
        return max(0.0, due_at - monotonic())

    def _wait(self, timeout: float) -> bool:
        """Sleep until the next duty, a wake-up, a readable descriptor or a signal; True where all duties should look for work."""
        ready = self.wakeup.wait(timeout, [self._pipe_read, *self.extra_fds])
        woken = self.wakeup.woken
        for descriptor in ready:
            if descriptor == self._pipe_read:
                os.read(self._pipe_read, 64)
            elif descriptor in self.extra_fds:
                woken = self._attempt(f"descriptor {descriptor!r}", self.extra_fds[descriptor]) is not False or woken
        return woken

    def _attempt(self, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception:
            count("service.failed", what=what)
            log.exception("%s: %s failed", self.name, what)
            return False

    def _drain(self) -> None:
        self._attempt("drain", self.on_drain)
        deadline = monotonic() + self.drain_timeout_seconds
        while self.is_trusted() and not self.is_drained():
            remaining = deadline - monotonic()
            if remaining <= 0:
                log.warning("%s gives up draining after %.0f s", self.name, self.drain_timeout_seconds)
                return
            self._wait(min(remaining, self.poll_seconds))

    def _install_handlers(self) -> dict[int, Any]:
        if threading.current_thread() is not threading.main_thread():
            return {}
        return {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # Only flags and a byte in a pipe here: logging is not safe in a signal handler.
        if self.is_stopping:
            os._exit(128 + number)
        self.stop()
