"""Decides when a process that cannot renew its heartbeat must stop trusting itself."""

import logging
import threading
from collections.abc import Callable

from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.telemetry import count

log = logging.getLogger(__name__)

RETRY_SHARE = 0.25


def job_name(kind: str) -> str:
    """Return Airflow's name for a kind of process in metrics: ``dag_processor`` is ``dagprocessorjob``."""
    return f"{kind.replace('_', '')}job"


class HeartbeatLostError(Exception):
    """Raised by ``beat`` where another process has taken over: there is nothing to retry."""


class Heartbeat:
    """Calls ``beat`` every ``interval_seconds`` in a thread of its own.

    Trust lasts ``trust_seconds`` from the *start* of the last good beat, so a slow renewal never stretches it; choose it
    shorter than the time after which others take over. When it ends, ``on_lost`` is called once. ``is_trusted`` is exact
    even while a beat hangs: the owner's loop asks it before each round. ``kind`` names the process in metrics.
    """

    def __init__(
        self,
        beat: Callable[[], object],
        interval_seconds: float,
        trust_seconds: float,
        on_lost: Callable[[], object],
        kind: str = "process",
    ) -> None:
        if trust_seconds <= interval_seconds:
            raise ValueError(f"trust_seconds ({trust_seconds}) must be longer than interval_seconds ({interval_seconds}).")
        self._beat = beat
        self._interval = interval_seconds
        self._trust = trust_seconds
        self._on_lost = on_lost
        self._kind = kind
        self._stopped = threading.Event()
        self._trusted_until = 0.0
        self._is_lost = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Beat once in the caller's thread, so that a first failure is raised, then go on in the background."""
        self._beat_once()
        self._thread.start()

    def stop(self) -> None:
        """Stop beating; waits for a beat under way for at most one interval."""
        self._stopped.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(self._interval)

    def is_trusted(self) -> bool:
        """True while no other process can have taken over."""
        return not self._is_lost and monotonic() < self._trusted_until

    def _beat_once(self) -> None:
        started = monotonic()
        self._beat()
        self._trusted_until = started + self._trust

    def _run(self) -> None:
        pause = self._interval
        while not self._stopped.wait(pause):
            try:
                self._beat_once()
                pause = self._interval
            except HeartbeatLostError as error:
                self._lose(str(error))
                return
            except Exception as error:
                pause = self._interval * RETRY_SHARE
                count("job_heartbeat_failure", job_name=job_name(self._kind))
                log.warning("Heartbeat failed (%s: %s), next try in %.1f s", type(error).__name__, error, pause)
            if not self.is_trusted():
                self._lose(f"no good heartbeat for {self._trust:.0f} s")
                return

    def _lose(self, reason: str) -> None:
        self._is_lost = True
        log.error("Heartbeat lost: %s", reason)
        self._on_lost()
