"""Decides what the supervisor does with messages of the executor, with signals, and when it ends."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType

from orchestrator.kernel.faults import fault_point
from orchestrator.sdk.execution.client import BatchClient
from orchestrator.sdk.execution.supervisor.airflow_worker import AirflowWorkers
from orchestrator.sdk.execution.supervisor.attempt import Message, Stop, dispatch_id_of
from orchestrator.sdk.execution.supervisor.attempts import Attempts
from orchestrator.sdk.execution.supervisor.callback_runs import CallbackRuns
from orchestrator.sdk.execution.supervisor.control import Control
from orchestrator.sdk.execution.supervisor.heartbeats import Heartbeats
from orchestrator.sdk.execution.supervisor.log_files import LogWriter
from orchestrator.sdk.execution.supervisor.loop import Loop, Timer
from orchestrator.sdk.execution.supervisor.processes import adopt_orphans
from orchestrator.sdk.execution.supervisor.settings import SupervisorSettings

log = logging.getLogger(__name__)

END_CHECK_SECONDS = 0.02
EVICTED = "The worker is stopping and the time for its tasks to finish is over."


class Supervisor:
    """Runs attempts until the executor goes away or asks for a drain."""

    def __init__(self, settings: SupervisorSettings, connection: socket.socket) -> None:
        self._settings = settings
        self._loop = Loop()
        self._writer = LogWriter()
        self._client = BatchClient(
            settings.execution_api_url,
            self._loop.post,
            self._loop.call_later,
            settings.api_connections,
            settings.api_timeout_seconds,
        )
        self._control = Control(self._loop, connection, self._on_message, self._finish_and_exit)
        self._attempts = Attempts(self._loop, settings, self._client, self._writer, self._control.send)
        self._callbacks = CallbackRuns(self._loop, settings, self._client, self._writer, self._control.send)
        self._airflow = AirflowWorkers(self._loop, settings, self._control.send)
        self._heartbeats = Heartbeats(self._loop, settings, self._client, self._attempts)
        self._handlers: dict[str, Callable[[Message], None]] = {
            "ExecuteTask": self._execute,
            "ExecuteCallback": self._execute_callback,
            "Terminate": self._terminate,
            "Drain": self._drain_as_told,
            "Bundles": self._take_bundles,
        }
        self._draining = False
        self._signals = 0
        self._deadline: Timer | None = None

    def run(self) -> int:
        """Serve until everything is finished; return the exit code."""
        adopt_orphans()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._client.start()
        self._writer.start()
        fault_point("supervisor.before_hello")
        self._control.send({"type": "Hello", "pid": os.getpid()})
        try:
            self._loop.run()
        finally:
            self._attempts.pool.close()
            self._control.flush()
            self._client.close()
            self._writer.stop()
        return 0

    def _on_message(self, message: Message) -> None:
        handler = self._handlers.get(message.get("type", ""))
        if handler is None:
            log.warning("The executor sent a message of unknown type %r", message.get("type"))
        else:
            handler(message)

    def _execute(self, workload: Message) -> None:
        ti_id, dispatch_id = str(workload["ti"]["id"]), dispatch_id_of(workload["token"])
        if self._draining:
            self._reject(ti_id, dispatch_id, "evicted", "This worker is stopping.")
            return
        known = ti_id in self._attempts.by_id
        try:
            if self._airflow.serves(workload):
                self._airflow.accept(workload)
            else:
                self._attempts.accept(workload)
        except (KeyError, TypeError, ValueError, OSError) as error:
            log.exception("Cannot start attempt %s", ti_id)
            if not known:
                self._attempts.by_id.pop(ti_id, None)
            self._reject(ti_id, dispatch_id, "launch_error", f"{type(error).__name__}: {error}")

    def _execute_callback(self, workload: Message) -> None:
        dispatch_id = str(workload["dispatch_id"])
        if self._draining:
            self._reject(dispatch_id, dispatch_id, "evicted", "This worker is stopping.")
            return
        try:
            self._callbacks.accept(workload)
        except (KeyError, TypeError, ValueError) as error:
            log.exception("Cannot start callback %s", workload.get("callback"))
            self._reject(dispatch_id, dispatch_id, "launch_error", f"{type(error).__name__}: {error}")

    def _reject(self, ti_id: str, dispatch_id: str | None, cause: str, detail: str) -> None:
        self._control.send({"type": "Rejected", "ti_id": ti_id, "dispatch_id": dispatch_id, "cause": cause, "detail": detail})

    def _terminate(self, message: Message) -> None:
        attempt = self._attempts.by_id.get(str(message["ti_id"]))
        if attempt is not None:
            reason = str(message.get("reason") or "The scheduler ended the task.")
            cause = "cleared" if reason.lower().startswith("cleared") else "marked"
            self._attempts.stop(attempt, Stop(cause, reason, report=False))
        else:
            self._airflow.stop(str(message["ti_id"]), "marked")

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._loop.post(self._signalled)

    def _signalled(self) -> None:
        if self._draining and self._signals:
            self._evict_all(at_once=True)
        self._signals += 1
        self._drain(None)

    def _take_bundles(self, message: Message) -> None:
        self._settings.bundles.update(message["bundles"])

    def _drain_as_told(self, message: Message) -> None:
        self._drain(message.get("timeout_seconds"))

    def _drain(self, timeout_seconds: float | None) -> None:
        """Take nothing new; evict what still runs at the deadline; say Drained and exit."""
        self._draining = True
        if self._deadline is None:
            seconds = self._settings.drain_timeout_seconds if timeout_seconds is None else float(timeout_seconds)
            self._deadline = self._loop.call_later(seconds, lambda: self._evict_all(at_once=False))
            self._exit_when_done()

    def _finish_and_exit(self) -> None:
        """The scheduler went away: finish what is here, however long it takes, then exit."""
        if not self._draining:
            self._draining = True
            self._exit_when_done()

    def _evict_all(self, at_once: bool) -> None:
        for attempt in list(self._attempts.by_id.values()):
            self._attempts.stop(attempt, Stop("evicted", EVICTED, report=True), at_once)
        for ti_id in list(self._airflow.by_id):
            self._airflow.stop(ti_id, "evicted", at_once)
        self._callbacks.stop_all(EVICTED)

    def _exit_when_done(self) -> None:
        if self._attempts.by_id or self._callbacks.by_dispatch:
            self._loop.call_later(END_CHECK_SECONDS, self._exit_when_done)
            return
        self._control.send({"type": "Drained"})
        self._loop.post(self._loop.stop)
