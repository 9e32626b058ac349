"""Decides how attempts run on the scheduler's own machine: one supervisor process, which outlives a killed scheduler."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import DatabaseError

from orchestrator.kernel.backoff import delay
from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.faults import fault_point
from orchestrator.processes.services import process_end, process_register
from runs.causes import Cause
from runs.executors.base import ExecutorEvent, HandOver
from runs.executors.supervisor_environment import supervisor_environment

log = logging.getLogger(__name__)

MODULE = "orchestrator.sdk.execution.supervisor"
GOING_SECONDS = 5.0  # for a supervisor between the end of its socket and its own


class LocalExecutor:
    """Hands attempts to a supervisor over a socket, one JSON document per line (contracts, section 7).

    The supervisor is a registered process of its own: where it dies, its attempts are lost at once; where the scheduler
    dies, it finishes what it has.
    """

    name = "LocalExecutor"

    def __init__(self, scheduler_id: UUID | None = None) -> None:
        self.scheduler_id = scheduler_id
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._owner_id: UUID | None = None
        self._held: dict[UUID, UUID] = {}  # ti_id -> dispatch_id of what the supervisor has not ended yet
        self._events: list[ExecutorEvent] = []
        self._input = b""
        self._output = bytearray()
        self._draining = False
        self._failures = 0
        self._next_start = 0.0

    @property
    def owner_id(self) -> UUID | None:
        """The supervisor's process id; None while there is none."""
        return self._owner_id

    def start(self) -> None:
        """Start the supervisor, unless it failed a moment ago."""
        if self._process is not None or self._draining or monotonic() < self._next_start:
            return
        ours, theirs = socket.socketpair()
        with theirs:
            os.set_inheritable(theirs.fileno(), True)
            command = [sys.executable, "-m", MODULE, "--control-fd", str(theirs.fileno())]
            # A session of its own: a Ctrl-C on the terminal reaches the scheduler, which drains the supervisor.
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=supervisor_environment(),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        fault_point("executor.before_register")
        ours.setblocking(False)
        self._socket, self._input, self._output = ours, b"", bytearray()
        detail = {"scheduler": str(self.scheduler_id)} if self.scheduler_id else {}
        try:
            self._owner_id = process_register("supervisor", pid=self._process.pid, detail=detail).pk
        except BaseException:
            # Unregistered, nobody could tell whether it lives: it goes, and another one starts at the next look.
            self._process.kill()
            self._process.wait()
            ours.close()
            self._process = self._socket = None
            raise
        log.info("supervisor started, pid %d", self._process.pid)

    def submit(self, handovers: Sequence[HandOver]) -> None:
        """Send attempts to the supervisor; without one they stay queued and the reaper takes them back."""
        for item in handovers:
            self._held[item.ti_id] = item.dispatch_id
            self._send(item.workload)

    def revoke(self, ti_id: UUID, reason: str) -> None:
        """Have the supervisor end an attempt."""
        if ti_id in self._held:
            self._send({"type": "Terminate", "ti_id": str(ti_id), "reason": reason})

    def drain(self, timeout_seconds: float) -> None:
        """Tell the supervisor to finish."""
        self._draining = True
        self._send({"type": "Drain", "timeout_seconds": timeout_seconds})

    def is_drained(self) -> bool:
        """Return whether the supervisor has gone."""
        return self._process is None

    def stop(self) -> None:
        """Close the supervisor's socket: it finishes what it has and goes."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None and self._process.poll() is not None and self._owner_id is not None:
            self._end_process_row()

    def descriptors(self) -> dict[int, Callable[[], Any]]:
        """Return the supervisor's socket."""
        return {} if self._socket is None else {self._socket.fileno(): self.read}

    def events(self) -> list[ExecutorEvent]:
        """Return what happened, and start the supervisor anew where it is gone."""
        self.read()
        self._flush()
        self.start()
        events, self._events = self._events, []
        return events

    def read(self) -> bool:
        """Take in what the supervisor says; returns whether there is news for a duty."""
        if self._socket is None:
            return False
        before, ended = len(self._events), False
        try:
            while chunk := self._socket.recv(65536):
                self._input += chunk
            ended = True
        except BlockingIOError:
            pass
        except OSError as error:
            log.warning("supervisor's socket failed: %s", error)
            ended = True
        *lines, self._input = self._input.split(b"\n")
        for line in lines:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                log.exception("cannot read the supervisor's message %r", line[:300])
        if ended:  # after its last words: what they say is over is not lost
            self._lose_supervisor()
        return len(self._events) > before

    def _take(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "Ended":
            self._failures = 0  # it gets work done: should it die, another one starts at once
            self._let_go(UUID(message["ti_id"]), message.get("dispatch_id"))
            if not message.get("reported") and message.get("dispatch_id"):
                self._lose_unreported(message)
        elif kind == "Rejected" and message.get("dispatch_id"):
            ti_id, dispatch_id = UUID(message["ti_id"]), UUID(message["dispatch_id"])
            self._let_go(ti_id, message["dispatch_id"])
            cause, detail = message.get("cause") or Cause.LAUNCH_ERROR, message.get("detail") or ""
            self._events.append(ExecutorEvent("rejected", ti_id, dispatch_id, cause, detail))

    def _lose_unreported(self, message: dict[str, Any]) -> None:
        """The worker's process is gone and the server took no report: only where the row still runs it is lost."""
        how = f"exit code {message.get('exit_code')}, signal {message.get('signal')}, {message.get('cause') or 'no cause'}"
        detail = f"the process ended ({how}), and the server did not take the worker's report"
        ti_id, dispatch_id = UUID(message["ti_id"]), UUID(message["dispatch_id"])
        self._events.append(ExecutorEvent("lost", ti_id, dispatch_id, Cause.REPORT_LOST, detail))

    def _let_go(self, ti_id: UUID, dispatch_id: str | None) -> None:
        """Forget a hand-over that is over; a later one of the same attempt stays."""
        if dispatch_id is None or self._held.get(ti_id) == UUID(dispatch_id):
            self._held.pop(ti_id, None)

    def _lose_supervisor(self) -> None:
        """The supervisor is gone, and with it every task that it ran: all of it is lost, certainly."""
        process, self._process = self._process, None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if process is None:
            return
        code = _ended(process)
        self._end_process_row()
        lost = [
            ExecutorEvent("lost", ti_id, dispatch_id, Cause.SUPERVISOR_DIED, f"the supervisor ended with {code}")
            for ti_id, dispatch_id in self._held.items()
        ]
        self._events += lost
        self._held.clear()
        if self._draining:
            return
        self._failures += 1
        self._next_start = monotonic() + delay(self._failures, base=0.1, cap=30.0)
        log.error("supervisor ended with %s; %d attempts lost, starting another one", code, len(lost))

    def _end_process_row(self) -> None:
        if self._owner_id is None:
            return
        try:
            process_end(self._owner_id)
        except DatabaseError as error:
            log.warning("the row of supervisor %s stays open: %s", self._owner_id, error)
        self._owner_id = None

    def _send(self, message: dict[str, Any]) -> None:
        self._output += json.dumps(message, default=str).encode() + b"\n"
        self._flush()

    def _flush(self) -> None:
        try:
            while self._output and self._socket is not None:
                del self._output[: self._socket.send(self._output)]
        except BlockingIOError:
            pass  # the rest follows at the next round
        except OSError as error:
            log.warning("supervisor's socket failed: %s", error)
            self._output.clear()


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a supervisor that closed its socket; one that does not go is ended, with all that it runs."""
    try:
        return process.wait(GOING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
