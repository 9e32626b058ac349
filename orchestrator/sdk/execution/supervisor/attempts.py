"""Decides how one attempt goes from its workload to its last report.

It has over 300 lines because every step of an attempt's life reads and writes the same few fields, and the order of the steps is
what has to be understood together.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.kernel.faults import fault_point
from orchestrator.sdk.execution.answers import Answer, Patience
from orchestrator.sdk.execution.client import ApiRequest, BatchClient, Credentials
from orchestrator.sdk.execution.masking import SecretsMasker
from orchestrator.sdk.execution.supervisor import endings
from orchestrator.sdk.execution.supervisor.attempt import Attempt, Message, Stage, Stop, dispatch_id_of
from orchestrator.sdk.execution.supervisor.endings import Exit
from orchestrator.sdk.execution.supervisor.hosts import HostEvents, HostPool
from orchestrator.sdk.execution.supervisor.log_files import LogWriter
from orchestrator.sdk.execution.supervisor.loop import Loop
from orchestrator.sdk.execution.supervisor.processes import oom_kills, peak_rss_kb, session_members, signal_group, signal_task
from orchestrator.sdk.execution.supervisor.routes import ROUTES, error, follow_up, translate
from orchestrator.sdk.execution.supervisor.settings import SupervisorSettings
from orchestrator.sdk.execution.supervisor.streams import Streams
from orchestrator.sdk.execution.supervisor.task_log import TaskLog

log = logging.getLogger(__name__)

MAX_LAUNCHES = 3
SENT_AS_THEY_ARE = frozenset({"SucceedTask", "DeferTask", "AwaitInputTask", "RescheduleTask"})


class Attempts(HostEvents):
    """All attempts that this supervisor is responsible for.

    Args:
        tell: sends a message to the executor.
    """

    def __init__(
        self, loop: Loop, settings: SupervisorSettings, client: BatchClient, writer: LogWriter, tell: Callable[[Message], None]
    ) -> None:
        self._loop, self._settings, self._client, self._writer, self._tell = loop, settings, client, writer, tell
        self._pool = HostPool(loop, settings, self)
        self._oom_kills = oom_kills()
        self.by_id: dict[str, Attempt] = {}
        self._waiting: list[Attempt] = []  # for the process of an earlier attempt to be gone

    @property
    def pool(self) -> HostPool:
        """The hosts."""
        return self._pool

    def accept(self, workload: Message) -> None:
        """Start an attempt; the same workload twice is one attempt.

        Raises:
            ValueError: this supervisor still has the attempt from an earlier dispatch.
        """
        ti_id, token = str(workload["ti"]["id"]), workload["token"]
        if (known := self.by_id.get(ti_id)) is not None:
            if known.dispatch_id != dispatch_id_of(token):
                raise ValueError(f"attempt {ti_id} of dispatch {known.dispatch_id} is still here")
            self._tell({"type": "Accepted", "ti_id": ti_id, "dispatch_id": known.dispatch_id})
            return
        masker = SecretsMasker()
        task_log = TaskLog(Path(self._settings.base_log_folder) / workload["log_path"], self._settings, self._writer, masker)
        attempt = Attempt(workload, Credentials(token), dispatch_id_of(token), task_log, masker)
        self.by_id[ti_id] = attempt
        self._tell({"type": "Accepted", "ti_id": ti_id, "dispatch_id": attempt.dispatch_id})
        fault_point("supervisor.after_accept")
        bundle = workload.get("bundle_info") or {}
        if bundle.get("version"):  # a bundle without versions has only one state of its files
            dag_version = workload["ti"].get("dag_version_id")
            attempt.log.say(f"Runs bundle {bundle.get('name')} at version {bundle['version']}.", dag_version_id=dag_version)
        if self._has_earlier(attempt):
            self._waiting.append(attempt)
            attempt.log.say("An earlier attempt of this task was told to stop; this one begins when its process is gone.")
        else:
            self._launch(attempt)

    def _has_earlier(self, attempt: Attempt) -> bool:
        """Whether another attempt of the task instance is here: it was cleared while it ran, and its process takes its time."""
        others = (o for o in self.by_id.values() if o is not attempt and o.task_key == attempt.task_key)
        return any(other not in self._waiting for other in others)

    def _launch_waiting(self) -> None:
        self._waiting = [attempt for attempt in self._waiting if self.by_id.get(attempt.ti_id) is attempt]
        for attempt in self._waiting:
            if not self._has_earlier(attempt):
                self._waiting.remove(attempt)
                self._launch(attempt)
                return

    # --- from workload to process ---

    def _launch(self, attempt: Attempt) -> None:
        attempt.launches += 1
        if attempt.streams is None or not attempt.streams.descriptors:
            attempt.streams = Streams(self._loop, attempt.log, lambda number, message: self._on_message(attempt, number, message))
        try:
            self._pool.launch(attempt)
        except OSError as failure:
            self.on_load_failed(attempt, "launch_error", f"No process can be started: {failure}")

    def on_import_output(self, attempt: Attempt, text: str) -> None:
        attempt.log.output(text.splitlines(), "task.stdout", "info")

    def on_forked(self, attempt: Attempt, pid: int, execution_timeout: float | None) -> None:
        fault_point("supervisor.after_fork")
        attempt.pid = pid
        if attempt.stop is not None:
            signal_task(pid, signal.SIGKILL)
            return
        self.on_limit(attempt, execution_timeout)
        self._enter_running(attempt, pid)

    def on_limit(self, attempt: Attempt, execution_timeout: float | None) -> None:
        if execution_timeout is not None:
            seconds = execution_timeout + self._settings.execution_timeout_grace_seconds
            reason = f"The task ran longer than its execution_timeout of {execution_timeout:g} s and did not end itself."
            self._later(attempt, seconds, lambda: self.stop(attempt, Stop("execution_timeout", reason, report=True)))

    def _enter_running(self, attempt: Attempt, pid: int) -> None:
        attempt.stage = Stage.STARTING
        attempt.start_date = endings.now()
        settings = self._settings
        body = {
            "state": "running",
            "hostname": settings.hostname,
            "unixname": settings.unixname,
            "pid": pid,
            "start_date": attempt.start_date,
        }
        fault_point("supervisor.before_run")
        self._call(attempt, "PATCH", "run", body, Patience.START, lambda answer: self._on_run_answer(attempt, answer))

    def _on_run_answer(self, attempt: Attempt, answer: Answer) -> None:
        fault_point("supervisor.after_run")
        if not answer.ok:
            self._reject(attempt, answer)
            return
        attempt.context = answer.body
        if attempt.stop is not None or attempt.end is not None:
            self._report_silent_end(attempt)
            return
        attempt.stage = Stage.RUNNING
        attempt.lease_until = time.monotonic() + self._settings.lease_seconds
        workload = attempt.workload
        startup = {name: workload.get(name) for name in ("ti", "dag_rel_path", "sentry_integration")}
        startup.update(type="StartupDetails", start_date=attempt.start_date, ti_context=answer.body)
        bundle = workload.get("bundle_info") or {}
        startup["bundle_info"] = {**bundle, "folder": self._settings.bundle_folder(bundle.get("name", ""))}
        assert attempt.streams is not None  # noqa: S101
        attempt.streams.send(None, startup)

    def _reject(self, attempt: Attempt, answer: Answer) -> None:
        cause = str(answer.detail.get("reason") or "launch_error") if answer.status in (404, 409, 410) else "launch_error"
        attempt.refusal = f"The server refused the start ({answer.status}): {str(answer.body)[:1000]}"
        attempt.cause = cause
        attempt.final_answered = True
        attempt.stop = attempt.stop or Stop(cause, attempt.refusal, report=False)
        if attempt.is_alive:
            signal_task(attempt.pid, signal.SIGKILL)
        self._forget_if_over(attempt)

    # --- while it runs ---

    def _on_message(self, attempt: Attempt, number: int | None, message: Message) -> None:
        kind = message.get("type", "")
        if kind == "Log":
            attempt.log.record(message["record"])
        elif kind == "MaskSecret":
            attempt.masker.add(message.get("value"), message.get("name"))
            self._answer_task(attempt, number, {"type": "OKResponse", "ok": True})
        elif kind in endings.FINAL_FIELDS:
            self._on_final(attempt, number, message)
        elif kind == "EndWithCause":
            attempt.stop = attempt.stop or Stop(message["cause"], message["cause_detail"], report=True)
        elif kind in ROUTES:
            self._forward(attempt, number, message)
        else:
            log.warning("Task %s sent a message of unknown type %r", attempt.ti_id, kind)
            self._answer_task(attempt, number, error("GENERIC_ERROR", message=f"Unknown message type {kind!r}."))

    def _forward(self, attempt: Attempt, number: int | None, message: Message) -> None:
        route = ROUTES[message["type"]]
        if message["type"] == "SetRenderedFields":
            message = {**message, "rendered_fields": attempt.masker.redact(message["rendered_fields"])}
        elif message["type"] == "SetRenderedMapIndex":
            message = attempt.masker.mask(message)
        request = ApiRequest(
            route.method,
            route.address(attempt.ti_id, message),
            route.body(message),
            attempt.credentials,
            attempt.ti_id,
            route.patience,
            lambda answer: self._on_route_answer(attempt, number, message, answer),
            size=len(str(message.get("value", ""))) + 500,
        )
        self._client.submit(request)

    def _on_route_answer(self, attempt: Attempt, number: int | None, message: Message, answer: Answer) -> None:
        result = translate(message, answer)
        if result is None:
            self._forward(attempt, number, follow_up(message))
            return
        attempt.masker.learn(result)
        self._answer_task(attempt, number, result)

    def _answer_task(self, attempt: Attempt, number: int | None, message: Message) -> None:
        if number is not None and attempt.streams is not None and attempt.is_alive:
            attempt.streams.send(number, message)

    def _on_final(self, attempt: Attempt, number: int | None, message: Message) -> None:
        """Report at once: the next task need not wait until this process has ended."""
        stopped_by_us = attempt.stop is not None and message["type"] not in SENT_AS_THEY_ARE
        if attempt.final is not None or stopped_by_us or (attempt.stop is not None and not attempt.stop.report):
            return
        attempt.stop = None
        body = endings.final_body(message, peak_rss_kb(attempt.pid))
        attempt.cause = (body.get("evidence") or {}).get("cause")
        # What a deferral keeps for its method is data; what people read is masked.
        shown = body if "evidence" in body else {name: body[name] for name in ("rendered_map_index",) if name in body}
        self._report(attempt, {**body, **attempt.masker.mask(shown)}, number)
        self._later(attempt, self._settings.task_success_overtime, lambda: self._end_overtime(attempt))

    def _end_overtime(self, attempt: Attempt) -> None:
        if attempt.is_alive:
            attempt.log.say("The task has reported its end but its process goes on; it is ended.", "warning")
            self._end_process(attempt)

    # --- its end ---

    def on_exited(self, attempt: Attempt, end: Exit) -> None:
        if attempt.end is not None:
            return
        fault_point("supervisor.after_exit")
        attempt.end = end
        if attempt.streams is not None:
            attempt.streams.close()
        self._end_leftovers(attempt)
        waiting_for_run = attempt.stage is Stage.STARTING
        if attempt.final is None and not waiting_for_run and attempt.stage is Stage.RUNNING:
            self._report_silent_end(attempt)
        elif attempt.stage is Stage.LAUNCHING:
            self.on_load_failed(attempt, "launch_error", "The task process ended before it was ready.")
        self._forget_if_over(attempt)

    def on_load_failed(self, attempt: Attempt, cause: str, detail: str) -> None:
        """No process can run the task: tell the server that the attempt started here and ended for this cause."""
        attempt.stop = attempt.stop or Stop(cause, detail, report=True)
        attempt.end = attempt.end or Exit()
        if attempt.streams is not None:
            attempt.streams.close()
        for line in detail.splitlines():
            attempt.log.record({"level": "error", "event": line, "logger": "supervisor"})
        if attempt.stage is Stage.LAUNCHING:
            self._enter_running(attempt, os.getpid())

    def on_host_died(self, attempt: Attempt, end: Exit) -> None:
        if attempt.pid:
            signal_task(attempt.pid, signal.SIGKILL)
        elif attempt.launches < MAX_LAUNCHES and attempt.stop is None:
            self._launch(attempt)
            return
        cause = "out_of_memory" if self._was_oom(end) else "host_died"
        text = f"The process that had imported the DAG file ended ({end.text}), and the task with it."
        if attempt.final is None and attempt.stop is None:
            attempt.stop = Stop(cause, text, report=True)
        if attempt.pid:
            self.on_exited(attempt, Exit(None, signal.SIGKILL, None))
        else:
            self.on_load_failed(attempt, cause, text)

    def _report_silent_end(self, attempt: Attempt) -> None:
        """The process is gone without a last message: say why, as far as it can be known."""
        end = attempt.end or Exit()
        if attempt.stop is not None:
            cause, detail = attempt.stop.cause, attempt.stop.reason
        else:
            cause, detail = endings.cause_of(end, self._was_oom(end))
        attempt.cause = cause
        if attempt.stop is not None and not attempt.stop.report:
            attempt.final_answered = True
            self._forget_if_over(attempt)
            return
        body = endings.silent_end_body(cause, attempt.masker.mask(detail), end, attempt.should_retry)
        self._report(attempt, body, None)

    def _was_oom(self, end: Exit) -> bool:
        if end.signal != signal.SIGKILL:
            return False
        before, self._oom_kills = self._oom_kills, oom_kills()
        return self._oom_kills > before

    def _report(self, attempt: Attempt, body: Message, number: int | None) -> None:
        if attempt.log.dropped_lines and attempt.final is None:
            body.setdefault("evidence", {})["dropped_log_lines"] = attempt.log.dropped_lines
        attempt.final = body
        fault_point("supervisor.before_report")
        self._call(
            attempt, "PATCH", "state", body, Patience.REPORT, lambda answer: self._on_report_answer(attempt, number, answer)
        )

    def _on_report_answer(self, attempt: Attempt, number: int | None, answer: Answer) -> None:
        fault_point("supervisor.after_report")
        attempt.final_answered = True
        attempt.reported = answer.ok
        if answer.ok:
            self._answer_task(attempt, number, {"type": "OKResponse", "ok": True})
        else:
            attempt.refusal = f"The server did not take the end of this attempt ({answer.status}): {str(answer.body)[:1000]}"
            self._answer_task(attempt, number, error("API_SERVER_ERROR", status_code=answer.status))
            if answer.status in (400, 413, 422):
                self._report_plainly(attempt, answer)
                return
            if attempt.is_alive:
                self._end_process(attempt)
        self._forget_if_over(attempt)

    def _report_plainly(self, attempt: Attempt, answer: Answer) -> None:
        """The server finds the report itself wrong: report a failure that says so, once, rather than nothing."""
        if attempt.final is not None and attempt.final.get("plain"):
            self._forget_if_over(attempt)
            return
        detail = f"The report of this attempt was refused ({answer.status}): {str(answer.body)[:500]}"
        body = endings.silent_end_body("exit_code", attempt.masker.mask(detail), attempt.end or Exit(), attempt.should_retry)
        attempt.final_answered = False
        self._report(attempt, body, None)
        attempt.final = {**body, "plain": True}

    def _forget_if_over(self, attempt: Attempt) -> None:
        if not attempt.final_answered or attempt.is_alive or self.by_id.get(attempt.ti_id) is not attempt:
            return
        if attempt.host is not None and attempt.ti_id in attempt.host.attempts and attempt.end is None:
            return
        del self.by_id[attempt.ti_id]
        if self._waiting:
            self._launch_waiting()
        attempt.stage = Stage.ENDED
        attempt.drop_timers()
        if attempt.streams is not None:
            attempt.streams.close()
        self._write_trailer(attempt)
        self._tell_end(attempt)

    def _write_trailer(self, attempt: Attempt) -> None:
        end = attempt.end or Exit()
        trailer = {
            "state": (attempt.final or {}).get("state"),
            "cause": attempt.cause or (attempt.final or {}).get("state"),
            "exit_code": end.code,
            "signal": end.signal,
            "peak_rss_kb": end.peak_rss_kb,
            "hostname": self._settings.hostname,
            "pid": attempt.pid or None,
        }
        reason = attempt.refusal or (
            attempt.stop.reason if attempt.stop is not None and attempt.stop.cause != "dag_import_error" else None
        )
        attempt.log.close(trailer, reason)

    def _tell_end(self, attempt: Attempt) -> None:
        fault_point("supervisor.before_ended")
        common = {"ti_id": attempt.ti_id, "dispatch_id": attempt.dispatch_id, "cause": attempt.cause}
        if attempt.refusal is not None and attempt.final is None:
            self._tell({"type": "Rejected", **common, "detail": attempt.refusal})
            return
        end = attempt.end or Exit()
        self._tell({"type": "Ended", **common, "exit_code": end.code, "signal": end.signal, "reported": attempt.reported})

    # --- stopping ---

    def stop(self, attempt: Attempt, stop: Stop, at_once: bool = False) -> None:
        """End an attempt: SIGTERM, and SIGKILL when that does not help, or at once."""
        if attempt.stop is not None or attempt.stage is Stage.ENDED or (attempt.final is not None and not at_once):
            return
        attempt.stop = stop
        attempt.cause = stop.cause
        attempt.log.say(f"Ending the task: {stop.reason}", "warning", cause=stop.cause)
        if attempt.is_alive:
            self._end_process(attempt, at_once)
        elif attempt.stage is Stage.LAUNCHING:
            attempt.end, attempt.refusal, attempt.final_answered = Exit(), stop.reason, True
            self._forget_if_over(attempt)

    def _end_process(self, attempt: Attempt, at_once: bool = False) -> None:
        if at_once or attempt.stage is Stage.STARTING:
            signal_task(attempt.pid, signal.SIGKILL)
            return
        signal_task(attempt.pid, signal.SIGTERM)
        self._later(attempt, self._settings.killed_task_cleanup_time, lambda: self._kill_stubborn(attempt))

    def _kill_stubborn(self, attempt: Attempt) -> None:
        if attempt.is_alive:
            seconds = self._settings.killed_task_cleanup_time
            attempt.log.say(f"The task did not end within {seconds:g} s after SIGTERM; sending SIGKILL.", "warning")
            signal_task(attempt.pid, signal.SIGKILL)

    def _end_leftovers(self, attempt: Attempt) -> None:
        """End what the task started and left behind in its process group."""
        if not attempt.pid or not signal_group(attempt.pid, 0):
            return
        left = ", ".join(f"{name} ({pid})" for pid, name in session_members(attempt.pid)[:20])
        if left:
            attempt.log.say(f"The task left processes behind; they are ended: {left}.", "warning")
        signal_group(attempt.pid, signal.SIGTERM)
        group, seconds = attempt.pid, self._settings.leftover_grace_seconds
        self._loop.call_later(seconds, lambda: _kill_group(group))

    # --- small ---

    def _later(self, attempt: Attempt, seconds: float, callback: Callable[[], None]) -> None:
        attempt.timers.append(self._loop.call_later(seconds, callback))

    def _call(
        self, attempt: Attempt, method: str, what: str, body: Any, patience: Patience, on_answer: Callable[[Answer], None]
    ) -> None:
        path = f"task-instances/{attempt.ti_id}/{what}"
        self._client.submit(ApiRequest(method, path, body, attempt.credentials, attempt.ti_id, patience, on_answer))


def _kill_group(group: int) -> None:
    signal_group(group, signal.SIGKILL)
