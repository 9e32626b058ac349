"""Attempts in this process: startup documents, and a supervisor that keeps XComs, variables and connections in memory."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.execution.channel import MemoryChannel, Message
from orchestrator.sdk.execution.task_runner import run_task

TI_ID = "0192b1f0-0000-7000-8000-000000000001"
VERSION_ID = "0192b1f0-0000-7000-8000-000000000002"
AT = "2026-01-02T03:04:05Z"
FINAL = ("SucceedTask", "TaskState", "RetryTask", "DeferTask", "AwaitInputTask", "RescheduleTask")


def run_document(**values: Any) -> dict[str, Any]:
    """Return the ``dag_run`` of a startup document."""
    run = {
        "dag_id": "d",
        "run_id": "r",
        "run_after": AT,
        "start_date": AT,
        "end_date": None,
        "run_type": "manual",
        "state": "running",
    }
    dates = {"logical_date": AT, "data_interval_start": AT, "data_interval_end": AT}
    return {**run, **dates, "conf": {}, "consumed_asset_events": [], "partition_key": None, **values}


def startup_document(task_id: str, *, run: dict[str, Any] | None = None, map_index: int = -1, **told: Any) -> dict[str, Any]:
    """Return what a supervisor tells a task process; ``told`` are fields of the /run answer."""
    run = run or run_document()
    names = {"task_id": task_id, "dag_id": run["dag_id"], "run_id": run["run_id"], "map_index": map_index}
    ti = {"id": TI_ID, **names, "try_number": 1, "dag_version_id": VERSION_ID, "hostname": "worker"}
    context = {"dag_run": run, "max_tries": 0, "should_retry": False, **told}
    bundle = {"name": "dags-folder", "version": None}
    return {
        "ti": ti,
        "dag_rel_path": "d.py",
        "bundle_info": bundle,
        "start_date": AT,
        "ti_context": context,
        "sentry_integration": "",
    }


class Supervisor(MemoryChannel):
    """Answers as the Execution API would, from dicts."""

    def __init__(
        self,
        *,
        variables: dict[str, str] | None = None,
        connections: dict[str, dict[str, Any]] | None = None,
        scripted: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(self._answer)
        self.variables, self.connections, self.scripted = variables or {}, connections or {}, scripted or {}
        self.xcoms: dict[tuple[str, str], dict[int, Any]] = {}

    def _answer(self, message: Message) -> Message | None:
        kind = message["type"]
        if kind in self.scripted:
            answer = self.scripted[kind]
            return answer(message) if callable(answer) else answer
        found = getattr(self, f"_{kind}", None)
        return found(message) if found else None

    def _SetXCom(self, message: Message) -> Message:
        self.xcoms.setdefault((message["task_id"], message["key"]), {})[message["map_index"]] = message["value"]
        return {"type": "OKResponse", "ok": True}

    def _GetXCom(self, message: Message) -> Message:
        found = self.xcoms.get((message["task_id"], message["key"]), {})
        index = -1 if message["map_index"] is None else message["map_index"]
        return {"type": "XComResult", "key": message["key"], "value": found.get(index)}

    def _GetXComSequenceSlice(self, message: Message) -> Message:
        found = self.xcoms.get((message["task_id"], message["key"]), {})
        part = slice(message["start"], message["stop"], message["step"])
        return {"type": "XComSequenceSliceResult", "root": [found[index] for index in sorted(found)][part]}

    def _GetXComSequenceItem(self, message: Message) -> Message:
        found = self.xcoms.get((message["task_id"], message["key"]), {})
        try:
            return {"type": "XComSequenceIndexResult", "root": [found[index] for index in sorted(found)][message["offset"]]}
        except IndexError:
            return {"type": "ErrorResponse", "error": "XCOM_NOT_FOUND", "detail": {}}

    def _GetXComCount(self, message: Message) -> Message:
        return {"type": "XComCountResponse", "len": len(self.xcoms.get((message["task_id"], message["key"]), {}))}

    def _DeleteXCom(self, message: Message) -> Message:
        self.xcoms.get((message["task_id"], message["key"]), {}).pop(message["map_index"], None)
        return {"type": "OKResponse", "ok": True}

    def _GetVariable(self, message: Message) -> Message:
        key = message["key"]
        if key not in self.variables:
            return {"type": "ErrorResponse", "error": "VARIABLE_NOT_FOUND", "detail": {"message": f"Variable {key} not found"}}
        return {"type": "VariableResult", "key": key, "value": self.variables[key]}

    def _GetConnection(self, message: Message) -> Message:
        conn_id = message["conn_id"]
        if conn_id not in self.connections:
            return {"type": "ErrorResponse", "error": "CONNECTION_NOT_FOUND", "detail": {"conn_id": conn_id}}
        return {"type": "ConnectionResult", "conn_id": conn_id, **self.connections[conn_id]}

    @property
    def final(self) -> Message:
        """The one final message; fails if there is none or more than one."""
        (found,) = self.of_type(*FINAL)
        return found

    def logged(self) -> list[dict[str, Any]]:
        """Return the log records."""
        return [message["record"] for message in self.of_type("Log")]


def attempt(dag: Any, task_id: str, supervisor: Supervisor | None = None, **startup: Any) -> Supervisor:
    """Run one attempt in this process and return its supervisor."""
    supervisor = supervisor or Supervisor()
    assert run_task(startup_document(task_id, **startup), supervisor, dag) == 0
    return supervisor
