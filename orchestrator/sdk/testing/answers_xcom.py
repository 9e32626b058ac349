"""Decides which XComs a task of a run in memory reads and writes."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.execution.channel import Message
from orchestrator.sdk.testing.store import Store, StoredXCom


class XComAnswers:
    """Answers about XComs, from the store."""

    store: Store

    def _SetXCom(self, message: Message) -> None:
        place = (message["dag_id"], message["run_id"], message["task_id"], _index(message), message["key"])
        self.store.xcoms[place] = StoredXCom(message["value"], message.get("mapped_length"))

    def _DeleteXCom(self, message: Message) -> None:
        place = (message["dag_id"], message["run_id"], message["task_id"], _index(message), message["key"])
        self.store.xcoms.pop(place, None)

    def _GetXCom(self, message: Message) -> Message:
        index = _index(message)
        for run_id in self._runs_of(message):
            found = self.store.pushed(message["dag_id"], run_id, message["task_id"], message["key"])
            if index in found:
                return {"type": "XComResult", "key": message["key"], "value": found[index].value}
        return {"type": "XComResult", "key": message["key"], "value": None}

    def _GetXComCount(self, message: Message) -> Message:
        return {"type": "XComCountResponse", "len": len(self._values(message))}

    def _GetXComSequenceItem(self, message: Message) -> Message:
        try:
            return {"type": "XComSequenceIndexResult", "root": self._values(message)[message["offset"]]}
        except IndexError:
            return {"type": "ErrorResponse", "error": "XCOM_NOT_FOUND", "detail": {"offset": message["offset"]}}

    def _GetXComSequenceSlice(self, message: Message) -> Message:
        chosen = slice(message.get("start"), message.get("stop"), message.get("step"))
        return {"type": "XComSequenceSliceResult", "root": self._values(message)[chosen]}

    def _values(self, message: Message) -> list[Any]:
        for run_id in self._runs_of(message):
            found = self.store.pushed(message["dag_id"], run_id, message["task_id"], message["key"])
            if found:
                return [item.value for item in found.values()]
        return []

    def _runs_of(self, message: Message) -> list[str]:
        run_id = message["run_id"]
        run = self.store.runs.get((message["dag_id"], run_id))
        if not message.get("include_prior_dates") or run is None:
            return [run_id]
        return [run_id, *(earlier["run_id"] for earlier in self.store.earlier_runs(message["dag_id"], run["logical_date"]))]


def _index(message: Message) -> int:
    index = message.get("map_index")
    return -1 if index is None else int(index)
