"""Decides how an attempt runs under a Python of the team's own, with Airflow's Task SDK and provider packages in it.

Airflow's worker speaks to the Execution API itself: it starts, beats and reports. The supervisor only starts it, stops it and
says how its process ended.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestrator.sdk.execution.supervisor.attempt import Message, dispatch_id_of
from orchestrator.sdk.execution.supervisor.endings import Exit
from orchestrator.sdk.execution.supervisor.loop import READABLE, Loop, Timer
from orchestrator.sdk.execution.supervisor.processes import die_with_parent, signal_group
from orchestrator.sdk.execution.supervisor.settings import SupervisorSettings

MODULE = "airflow.sdk.execution_time.execute_workload"
#: What belongs to this platform's own Python and would mislead another one.
_OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE", "ORCHESTRATOR_SUPERVISOR")


@dataclass(slots=True, eq=False)
class Worker:
    """One process of Airflow's worker and the attempt that it runs."""

    ti_id: str
    dispatch_id: str | None
    process: subprocess.Popen[bytes]
    pidfd: int
    cause: str | None = None
    timer: Timer | None = None


class AirflowWorkers:
    """The attempts whose queue has a Python of its own (``[workers] airflow_python``).

    Args:
        tell: sends a message to the executor.
    """

    def __init__(self, loop: Loop, settings: SupervisorSettings, tell: Callable[[Message], None]) -> None:
        self._loop, self._settings, self._tell = loop, settings, tell
        self.by_id: dict[str, Worker] = {}
        self._next: dict[str, Message] = {}  # resumed before the process that deferred has gone

    def serves(self, workload: Message) -> bool:
        """Return whether the queue of the workload has such a Python."""
        return self._settings.airflow_python_of(str(workload["ti"].get("queue") or "")) is not None

    def accept(self, workload: Message) -> None:
        """Start the worker of an attempt; the same workload twice is one attempt. Raises ``OSError``.

        One that was resumed while the process that deferred it still ends begins when that is gone.
        """
        ti_id, dispatch_id = str(workload["ti"]["id"]), dispatch_id_of(workload["token"])
        known = self.by_id.get(ti_id)
        if known is None:
            self._start(workload, ti_id, dispatch_id)
        elif known.dispatch_id != dispatch_id:
            self._next[ti_id] = workload
        self._tell({"type": "Accepted", "ti_id": ti_id, "dispatch_id": dispatch_id})

    def stop(self, ti_id: str, cause: str, at_once: bool = False) -> bool:
        """End the worker of an attempt: SIGTERM, then SIGKILL, or that at once. False: there is none."""
        worker = self.by_id.get(ti_id)
        if worker is None:
            return False
        worker.cause = worker.cause or cause
        signal_group(worker.process.pid, signal.SIGKILL if at_once else signal.SIGTERM)
        if worker.timer is None:
            seconds = self._settings.killed_task_cleanup_time
            worker.timer = self._loop.call_later(seconds, lambda: _kill(worker))
        return True

    def _start(self, workload: Message, ti_id: str, dispatch_id: str | None) -> None:
        document = _in_memory(json.dumps(workload).encode())
        try:
            process = subprocess.Popen(
                [self._python(workload), "-m", MODULE, "--json-path", f"/proc/self/fd/{document}"],
                env=self._environment(),
                pass_fds=[document],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # it writes the attempt's log file itself
                start_new_session=True,
                preexec_fn=_with_this_process(os.getpid()),
            )
        finally:
            os.close(document)
        worker = self.by_id[ti_id] = Worker(ti_id, dispatch_id, process, os.pidfd_open(process.pid))
        self._loop.add(worker.pidfd, READABLE, lambda _events: self._on_exit(worker))

    def _python(self, workload: Message) -> str:
        return str(self._settings.airflow_python_of(str(workload["ti"].get("queue") or "")))

    def _environment(self) -> dict[str, str]:
        """Return this process's environment with the settings that Airflow's worker reads; no secret is in it."""
        settings = self._settings
        bundles = [_bundle(name, path) for name, path in (settings.bundles or {"dags-folder": settings.dags_folder}).items()]
        kept = {name: value for name, value in os.environ.items() if name not in _OURS}
        return kept | {
            "AIRFLOW_HOME": os.path.join(settings.base_log_folder, "airflow_worker"),
            "AIRFLOW__CORE__DAGS_FOLDER": settings.dags_folder,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": settings.execution_api_url,
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": settings.base_log_folder,
        }

    def _on_exit(self, worker: Worker) -> None:
        self._loop.remove(worker.pidfd)
        os.close(worker.pidfd)
        if worker.timer is not None:
            worker.timer.cancel()
        del self.by_id[worker.ti_id]
        end = _end_of(worker.process.wait())
        # Whether it reported is between it and the server: a worker that failed may have died before its report.
        reported = end.code == 0 and worker.cause is None
        who = {"ti_id": worker.ti_id, "dispatch_id": worker.dispatch_id, "cause": worker.cause}
        self._tell({"type": "Ended", **who, "exit_code": end.code, "signal": end.signal, "reported": reported})
        if (workload := self._next.pop(worker.ti_id, None)) is not None:
            self._start(workload, worker.ti_id, dispatch_id_of(workload["token"]))


def _in_memory(content: bytes) -> int:
    """Return a descriptor of a file in memory: the token stands neither on disk nor in the process table."""
    document = os.memfd_create("workload")
    os.write(document, content)
    os.lseek(document, 0, os.SEEK_SET)
    return document


def _with_this_process(parent: int) -> Callable[[], None]:
    return lambda: die_with_parent(parent)


def _bundle(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {"path": path}}


def _kill(worker: Worker) -> None:
    if worker.process.poll() is None:
        signal_group(worker.process.pid, signal.SIGKILL)


def _end_of(returncode: int) -> Exit:
    return Exit(None, -returncode, None) if returncode < 0 else Exit(returncode, None, None)
