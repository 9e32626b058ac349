"""Starts a real supervisor for a test and speaks the executor's side of its control socket."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DAG_HEAD = """
import os, sys, time, signal, threading
from tests.process import standin_runner
standin_runner.install()
dag = standin_runner.StandinDag("d")
now = standin_runner.now

def ready(channel):
    channel.request({"type": "SetXCom", "key": "pid", "value": os.getpid(), "dag_id": "d", "run_id": "r", "task_id": "t"})
"""


def token_for(ti_id: str) -> str:
    claims = {"sub": ti_id, "scope": "workload", "dispatch_id": f"dispatch-{ti_id}"}
    return "head." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".signature"


class SupervisorHarness:
    """One supervisor process, its folders, and the messages that it sent."""

    def __init__(self, folder: Path, api_url: str, environment: dict[str, str] | None = None, **settings: Any) -> None:
        self.dags, self.logs = folder / "dags", folder / "logs"
        self.dags.mkdir(exist_ok=True)
        document = {
            "execution_api_url": api_url,
            "base_log_folder": str(self.logs),
            "dags_folder": str(self.dags),
            "hostname": "worker-1",
            "heartbeat_seconds": 0.5,
            "lease_seconds": 60,
            "leftover_grace_seconds": 0.3,
            **settings,
        }
        mine, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.sdk.execution.supervisor", "--control-fd", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
            env={**os.environ, "ORCHESTRATOR_SUPERVISOR": json.dumps(document), **(environment or {})},
        )
        theirs.close()
        self.control = mine
        self._lines = mine.makefile("rb")
        self.messages: list[dict[str, Any]] = []

    def write_dag(self, body: str, name: str = "dag.py", head: str = DAG_HEAD) -> str:
        (self.dags / name).write_text(head + body)
        return name

    def execute(self, task_id: str, path: str = "dag.py", ti_id: str | None = None, dag_id: str = "d") -> str:
        ti_id = ti_id or str(uuid.uuid4())
        self.send(self.workload(ti_id, task_id, path, dag_id))
        return ti_id

    def workload(self, ti_id: str, task_id: str, path: str = "dag.py", dag_id: str = "d") -> dict[str, Any]:
        return {
            "type": "ExecuteTask",
            "token": token_for(ti_id),
            "dag_rel_path": path,
            "bundle_info": {"name": "dags-folder", "version": None},
            "log_path": f"{ti_id}.log",
            "ti": {
                "id": ti_id,
                "dag_id": dag_id,
                "task_id": task_id,
                "run_id": "r",
                "try_number": 1,
                "map_index": -1,
                "dag_version_id": str(uuid.uuid4()),
            },
            "sentry_integration": "",
        }

    def send(self, *messages: dict[str, Any]) -> None:
        """Send messages at once, so that the supervisor reads them together."""
        self.control.sendall(b"".join(json.dumps(message).encode() + b"\n" for message in messages))

    def wait_for(self, kind: str | tuple[str, ...], ti_id: str | None = None, seconds: float = 60) -> dict[str, Any]:
        kinds = (kind,) if isinstance(kind, str) else kind
        for message in self.messages:
            if message["type"] in kinds and ti_id in (None, message.get("ti_id")):
                return message
        self.control.settimeout(seconds)
        for line in self._lines:
            message = json.loads(line)
            self.messages.append(message)
            if message["type"] in kinds and ti_id in (None, message.get("ti_id")):
                return message
        raise AssertionError(f"No {kind} came from the supervisor, only {self.messages}")

    def log_text(self, ti_id: str) -> str:
        path = self.logs / f"{ti_id}.log"
        return path.read_text() if path.exists() else ""

    def log_lines(self, ti_id: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_text(ti_id).splitlines()]

    def events(self, ti_id: str) -> list[str]:
        return [line["event"] for line in self.log_lines(ti_id)]

    def trailer(self, ti_id: str) -> dict[str, Any]:
        return next(line for line in self.log_lines(ti_id) if line["event"] == "Task attempt ended")

    def finish(self) -> int:
        """Close the control socket and wait until the supervisor has exited."""
        self._lines.close()
        self.control.close()
        try:
            return self.process.wait(60)
        finally:
            self.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._lines.close()
        self.control.close()
