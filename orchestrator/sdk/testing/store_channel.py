"""Decides how a run in memory answers its tasks: the questions of the Execution API, from a store instead of a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from orchestrator.sdk.execution.channel import Message
from orchestrator.sdk.testing.answers_assets import AssetAnswers
from orchestrator.sdk.testing.answers_runs import RunAnswers
from orchestrator.sdk.testing.answers_xcom import XComAnswers
from orchestrator.sdk.testing.clock import TravelClock
from orchestrator.sdk.testing.store import Store, TaskResult

FINAL = frozenset({"SucceedTask", "TaskState", "RetryTask", "DeferTask", "AwaitInputTask", "RescheduleTask"})
OK: Message = {"type": "OKResponse", "ok": True}


class UnknownMessageError(RuntimeError):
    """A task asked for something that runs in memory cannot answer."""


class StoreChannel(XComAnswers, RunAnswers, AssetAnswers):
    """The channel of one attempt. ``final`` is its last word, ``skipped`` what it told to skip.

    Args:
        store: what the tasks see.
        instance: the attempt's task instance.
        clock: the time of the run.
        on_log: called with every log record.
    """

    def __init__(self, store: Store, instance: TaskResult, clock: TravelClock, on_log: Callable[[Message], None]) -> None:
        self.store, self.instance, self.clock, self._on_log = store, instance, clock, on_log
        self.is_usable = True
        self.final: Message | None = None
        self.skipped: list[tuple[str, int]] = []

    def request(self, message: Message) -> Message:
        """Answer one question, as the values would arrive through JSON."""
        carried = json.loads(json.dumps(message, default=str))
        answer = getattr(self, f"_{carried['type']}", None)
        if answer is None:
            raise UnknownMessageError(f"A run in memory has no answer for {carried['type']}; run the DAG in a deployment.")
        found: Message = answer(carried) or OK
        return json.loads(json.dumps(found, default=str))  # type: ignore[no-any-return]

    def send(self, message: Message) -> None:
        """Take in what needs no answer."""
        kind = message["type"]
        if kind == "Log":
            record = self.store.masker.mask(message["record"])
            self.instance.logs.append(record)
            self._on_log(record)
        elif kind in FINAL:
            self.final = json.loads(json.dumps(message, default=str))
        elif kind == "MaskSecret":
            self.store.masker.add(message["value"], message.get("name"))
        else:
            self.request(message)

    # What the attempt says about itself

    def _SetRenderedFields(self, message: Message) -> None:
        self.instance.rendered_fields = self.store.masker.redact(message["rendered_fields"])

    def _SetRenderedMapIndex(self, message: Message) -> None:
        self.instance.rendered_map_index = message["rendered_map_index"]

    def _SkipDownstreamTasks(self, message: Message) -> None:
        named = [(item, -1) if isinstance(item, str) else (item[0], item[1]) for item in message["tasks"]]
        self.skipped += [pair for pair in named if pair not in self.skipped]

    def _GetTaskRescheduleStartDate(self, message: Message) -> Message:
        first = self.instance.first_poke
        return {"type": "TaskRescheduleStartDate", "start_date": first.isoformat() if first else None}

    # Variables and connections

    def _GetVariable(self, message: Message) -> Message:
        key = message["key"]
        if key not in self.store.variables:
            return _missing("VARIABLE_NOT_FOUND", message=f"Variable {key} not found")
        return {"type": "VariableResult", "key": key, "value": self.store.variables[key]}

    def _GetVariableKeys(self, message: Message) -> Message:
        found = sorted(key for key in self.store.variables if key.startswith(message.get("prefix") or ""))
        start = message.get("offset") or 0
        return {"type": "VariableKeysResult", "keys": found[start:], "total_entries": len(found)}

    def _PutVariable(self, message: Message) -> None:
        self.store.variables[message["key"]] = message["value"]

    def _DeleteVariable(self, message: Message) -> None:
        self.store.variables.pop(message["key"], None)

    def _GetConnection(self, message: Message) -> Message:
        found = self.store.connections.get(message["conn_id"])
        if found is None:
            return _missing("CONNECTION_NOT_FOUND", conn_id=message["conn_id"])
        return {"type": "ConnectionResult", **found}

    # Values that tries keep

    def _kept(self) -> dict[str, Any]:
        return self.store.task_values.setdefault(self.instance.place, {})

    def _GetTaskStateStore(self, message: Message) -> Message:
        if message["key"] not in self._kept():
            return _missing("TASK_STORE_NOT_FOUND", key=message["key"])
        return {"type": "TaskStateStoreResult", "value": self._kept()[message["key"]]}

    def _SetTaskStateStore(self, message: Message) -> None:
        self._kept()[message["key"]] = message["value"]

    def _DeleteTaskStateStore(self, message: Message) -> None:
        self._kept().pop(message["key"], None)

    def _ClearTaskStateStore(self, message: Message) -> None:
        self._kept().clear()

    # Questions to people

    def _CreateHITLDetailPayload(self, message: Message) -> Message:
        detail = {name: value for name, value in message.items() if name != "type"}
        self.store.questions[self.instance.id] = detail | {"task_id": self.instance.task_id}
        return {"type": "HITLDetailRequestResult", **detail}

    def _GetHITLDetailResponse(self, message: Message) -> Message:
        return {"type": "HITLDetailResponse", **self.store.questions.get(self.instance.id, {}).get("response", {})}

    def _UpdateHITLDetail(self, message: Message) -> Message:
        return self._GetHITLDetailResponse(message)


def _missing(kind: str, **detail: Any) -> Message:
    return {"type": "ErrorResponse", "error": kind, "detail": detail}
