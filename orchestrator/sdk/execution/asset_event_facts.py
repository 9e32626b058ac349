"""Decides how an event of an asset looks to a task: its facts, and the run and the task that made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from orchestrator.sdk.execution.channel import ask

Json = Any


@dataclass
class AssetOfEvent:
    """The asset that an event is about."""

    name: str
    uri: str
    group: str = "asset"
    extra: dict[str, Json] = field(default_factory=dict)


@dataclass
class AliasOfEvent:
    """An alias that an event came through."""

    name: str


@dataclass
class SourceTaskInstance:
    """The task instance that made an event."""

    dag_run: Any
    task_id: str
    map_index: int

    @property
    def dag_id(self) -> str:
        """The DAG of the task."""
        return str(self.dag_run.dag_id)

    @property
    def run_id(self) -> str:
        """The run of the task."""
        return str(self.dag_run.run_id)

    def xcom_pull(self, *, key: str = "return_value", default: Any = None) -> Any:
        """Return a value that the task has pushed, or ``default``."""
        from orchestrator.sdk.execution.xcom import get_one

        place = {"dag_id": self.dag_id, "run_id": self.run_id, "task_id": self.task_id, "map_index": self.map_index}
        value = get_one(key=key, **place)  # type: ignore[arg-type]
        return default if value is None else value


@dataclass
class AssetEventResult:
    """One event; ``source_...`` are None for one that no task has made."""

    asset: AssetOfEvent
    id: int | None = None
    timestamp: datetime | None = None
    extra: dict[str, Json] = field(default_factory=dict)
    source_task_id: str | None = None
    source_dag_id: str | None = None
    source_run_id: str | None = None
    source_map_index: int | None = None
    source_aliases: list[AliasOfEvent] = field(default_factory=list)
    created_dagruns: list[Json] = field(default_factory=list)
    partition_key: str | None = None

    @cached_property
    def source_dag_run(self) -> Any:
        """The run that made the event, asked for when looked at; None where no run made it."""
        if not self.source_dag_id or not self.source_run_id:
            return None
        from orchestrator.sdk.execution.startup import DagRun

        return DagRun.from_json(ask({"type": "GetDagRun", "dag_id": self.source_dag_id, "run_id": self.source_run_id}))

    @cached_property
    def source_task_instance(self) -> SourceTaskInstance | None:
        """The task instance that made the event; None where none made it."""
        if self.source_task_id is None or self.source_map_index is None or self.source_dag_run is None:
            return None
        return SourceTaskInstance(self.source_dag_run, self.source_task_id, self.source_map_index)


def event_from_json(document: Json) -> AssetEventResult:
    """Read an event of an Execution API body; what a newer server says besides is left out."""
    known = {name: document[name] for name in AssetEventResult.__dataclass_fields__ if document.get(name) is not None}
    asset = {name: document["asset"][name] for name in AssetOfEvent.__dataclass_fields__ if name in document["asset"]}
    known["asset"] = AssetOfEvent(**asset)
    known["source_aliases"] = [AliasOfEvent(alias["name"]) for alias in document.get("source_aliases") or ()]
    if isinstance(known.get("timestamp"), str):
        known["timestamp"] = datetime.fromisoformat(known["timestamp"])
    return AssetEventResult(**known)
