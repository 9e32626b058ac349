"""Decides how a supervisor runs callbacks and alerts: a process each, a log file, a limit, and a report at the end.

The report goes to the Execution API, so it reaches the server whichever executor handed the work over, and also when its
scheduler has gone meanwhile.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.kernel.faults import fault_point
from orchestrator.sdk.execution.answers import Answer, Patience
from orchestrator.sdk.execution.client import ApiRequest, BatchClient, Credentials
from orchestrator.sdk.execution.masking import SecretsMasker
from orchestrator.sdk.execution.supervisor.endings import Exit
from orchestrator.sdk.execution.supervisor.log_files import LogWriter
from orchestrator.sdk.execution.supervisor.loop import READABLE, Loop, Timer
from orchestrator.sdk.execution.supervisor.plugins_watch import PluginsWatch
from orchestrator.sdk.execution.supervisor.processes import signal_group
from orchestrator.sdk.execution.supervisor.routes import ROUTES, error, follow_up, translate
from orchestrator.sdk.execution.supervisor.settings import SupervisorSettings
from orchestrator.sdk.execution.supervisor.streams import Streams
from orchestrator.sdk.execution.supervisor.task_log import TaskLog

log = logging.getLogger(__name__)

Message = dict[str, Any]
MODULE = "orchestrator.sdk.execution.callback_process"
KILL_SECONDS = 5.0  # between SIGTERM and SIGKILL, as Airflow does it


@dataclass(slots=True, eq=False)
class CallbackRun:
    """One hand-over of a callback."""

    workload: Message
    credentials: Credentials
    log: TaskLog
    masker: SecretsMasker
    process: subprocess.Popen[bytes] | None = None
    streams: Streams | None = None
    handle: int = -1
    said: Message | None = None
    stopped: str | None = None
    timers: list[Timer] = field(default_factory=list)

    @property
    def dispatch_id(self) -> str:
        """The hand-over, which is what this run is known by."""
        return str(self.workload["dispatch_id"])

    @property
    def callback_id(self) -> str:
        """The delivery."""
        return str(self.workload["callback"]["id"])


class CallbackRuns:
    """All callbacks that this supervisor runs.

    Args:
        tell: sends a message to the executor.
    """

    def __init__(
        self, loop: Loop, settings: SupervisorSettings, client: BatchClient, writer: LogWriter, tell: Callable[[Message], None]
    ) -> None:
        self._loop, self._settings, self._client, self._writer, self._tell = loop, settings, client, writer, tell
        self.by_dispatch: dict[str, CallbackRun] = {}

    def accept(self, workload: Message) -> None:
        """Start a callback, once the server says that this hand-over is the current one; the same one twice is one."""
        if str(workload["dispatch_id"]) in self.by_dispatch:
            return
        masker = SecretsMasker()
        path = Path(self._settings.base_log_folder) / workload["log_path"]
        run = CallbackRun(workload, Credentials(workload["token"]), TaskLog(path, self._settings, self._writer, masker), masker)
        self.by_dispatch[run.dispatch_id] = run
        fault_point("callback.after_accept")
        self._report(run, {"state": "running"}, Patience.START, lambda answer: self._on_may_start(run, answer))

    def stop_all(self, reason: str) -> None:
        """End everything that still runs."""
        for run in list(self.by_dispatch.values()):
            self._stop(run, reason)

    def _on_may_start(self, run: CallbackRun, answer: Answer) -> None:
        if not answer.ok:
            run.log.close({"state": None, "cause": "launch_error"}, f"The server refused the start ({answer.status}).")
            self._forget(run, "launch_error", f"the server refused the start: {answer.status} {str(answer.body)[:300]}")
            return
        try:
            self._start(run)
        except OSError as failure:
            log.exception("Cannot start callback %s", run.callback_id)
            if run.streams is not None:
                run.streams.close()
            run.log.close({"state": "failed", "cause": "launch_error"}, f"No process can be started: {failure}")
            self._forget(run, "launch_error", f"no process can be started: {failure}")

    def _forget(self, run: CallbackRun, cause: str, detail: str) -> None:
        """The callback did not run: the scheduler hands it over again, unless it has done so already."""
        self.by_dispatch.pop(run.dispatch_id, None)
        told = {"ti_id": run.dispatch_id, "dispatch_id": run.dispatch_id, "cause": cause, "detail": detail}
        self._tell({"type": "Rejected", **told})

    def _start(self, run: CallbackRun) -> None:
        fault_point("callback.before_start")
        run.streams = Streams(self._loop, run.log, lambda number, message: self._on_message(run, number, message))
        channel, out, err = run.streams.descriptors
        arguments = [sys.executable, "-m", MODULE, "--fd", str(channel), "--parent", str(os.getpid())]
        run.process = subprocess.Popen(
            arguments, pass_fds=[channel], stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        run.streams.release_descriptors()
        run.handle = os.pidfd_open(run.process.pid)
        self._loop.add(run.handle, READABLE, lambda _events: self._on_exit(run))
        bundle = run.workload["bundle_info"]
        folder = self._settings.bundle_folder(bundle["name"])
        paths = [self._settings.dags_folder, self._settings.plugins_folder, folder]
        told = {"bundle_path": folder, "paths": paths, "plugins": PluginsWatch(self._settings).places()}
        run.streams.send(None, {**run.workload, "token": "", **told})
        seconds = float(run.workload.get("timeout_seconds") or 0)
        if seconds:
            reason = f"The callback ran longer than {seconds:g} s ([callbacks] callback_execution_timeout)."
            run.timers.append(self._loop.call_later(seconds, lambda: self._stop(run, reason)))
        self._plan_renewal(run)
        fault_point("callback.after_start")

    # --- while it runs ---

    def _on_message(self, run: CallbackRun, number: int | None, message: Message) -> None:
        kind = message.get("type", "")
        if kind == "Log":
            run.log.record(message["record"])
        elif kind == "MaskSecret":
            run.masker.add(message.get("value"), message.get("name"))
            self._answer(run, number, {"type": "OKResponse", "ok": True})
        elif kind == "CallbackDone":
            run.said = message
        elif kind in ROUTES:
            self._forward(run, number, message)
        else:
            self._answer(run, number, error("GENERIC_ERROR", message=f"A callback cannot send {kind!r}."))

    def _forward(self, run: CallbackRun, number: int | None, message: Message) -> None:
        route = ROUTES[message["type"]]
        about = str(run.workload.get("ti_id") or run.dispatch_id)
        request = ApiRequest(
            route.method, route.address(about, message), route.body(message), run.credentials, run.dispatch_id, route.patience,
            lambda answer: self._on_route_answer(run, number, message, answer),
        )  # fmt: skip
        self._client.submit(request)

    def _on_route_answer(self, run: CallbackRun, number: int | None, message: Message, answer: Answer) -> None:
        result = translate(message, answer)
        if result is None:
            self._forward(run, number, follow_up(message))
            return
        run.masker.learn(result)
        self._answer(run, number, result)

    def _answer(self, run: CallbackRun, number: int | None, message: Message) -> None:
        if number is not None and run.streams is not None and run.process is not None and run.process.returncode is None:
            run.streams.send(number, message)

    def _plan_renewal(self, run: CallbackRun) -> None:
        run.timers.append(self._loop.call_later(run.workload["renew_seconds"], lambda: self._renew(run)))

    def _renew(self, run: CallbackRun) -> None:
        if run.dispatch_id in self.by_dispatch and run.handle >= 0:
            self._report(run, {"state": "running"}, Patience.BEAT, lambda answer: self._on_renewed(run, answer))
            self._plan_renewal(run)

    def _on_renewed(self, run: CallbackRun, answer: Answer) -> None:
        if answer.status in (404, 409):
            self._stop(run, "The server has handed this callback over again; this run of it is ended.")

    # --- its end ---

    def _stop(self, run: CallbackRun, reason: str) -> None:
        if run.stopped is not None or run.process is None or run.handle < 0:
            return  # it waits for the server's word, or has ended
        run.stopped = reason
        run.log.say(reason, "warning")
        group = run.process.pid
        signal_group(group, signal.SIGTERM)
        self._loop.call_later(KILL_SECONDS, lambda: _kill(run, group))

    def _on_exit(self, run: CallbackRun) -> None:
        assert run.process is not None and run.streams is not None  # noqa: S101
        if not select.select([run.handle], [], [], 0)[0]:
            return
        self._loop.remove(run.handle)
        os.close(run.handle)
        run.handle = -1
        code = run.process.wait()
        fault_point("callback.after_exit")
        run.streams.close()
        signal_group(run.process.pid, signal.SIGKILL)  # what it left behind
        for timer in run.timers:
            timer.cancel()
        end = Exit(None, -code) if code < 0 else Exit(code)
        self._finish(run, end)

    def _finish(self, run: CallbackRun, end: Exit) -> None:
        said = run.said or {"ok": False, "output": end.text.replace("task process", "callback's process"), "done": []}
        if run.stopped is not None and not said["ok"]:
            said = {**said, "output": f"{run.stopped}\n{said.get('output') or ''}".strip()}
        body = {
            "state": "success" if said["ok"] else "failed",
            "output": run.masker.mask(str(said.get("output") or ""))[-8000:],
            "done": said.get("done") or [],
            "result": said.get("result"),
        }
        run.log.close({"state": body["state"], "cause": body["state"], "exit_code": end.code, "signal": end.signal})
        fault_point("callback.before_report")
        self._report(run, body, Patience.REPORT, lambda answer: self._on_reported(run, answer))

    def _report(self, run: CallbackRun, body: Message, patience: Patience, on_answer: Callable[[Answer], None]) -> None:
        path = f"callbacks/{run.callback_id}/state"
        self._client.submit(ApiRequest("PATCH", path, body, run.credentials, run.dispatch_id, patience, on_answer))

    def _on_reported(self, run: CallbackRun, answer: Answer) -> None:
        fault_point("callback.after_report")
        if not answer.ok:
            log.warning("The server did not take the end of callback %s: %s %s", run.callback_id, answer.status, answer.body)
        self.by_dispatch.pop(run.dispatch_id, None)
        # Reported: nobody need act on it; the executor only learns that it holds it no more.
        self._tell({"type": "Ended", "ti_id": run.dispatch_id, "dispatch_id": run.dispatch_id, "cause": None, "reported": True})


def _kill(run: CallbackRun, group: int) -> None:
    if run.handle >= 0:
        signal_group(group, signal.SIGKILL)
