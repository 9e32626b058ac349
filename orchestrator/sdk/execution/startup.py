"""Decides what a task process is told before it starts: the attempt, its run, and the DAG file."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.sdk.definitions.shown_words import DagRunState, DagRunType
from orchestrator.sdk.execution.asset_event_facts import AssetEventResult, event_from_json

Json = Any


def instant(value: str | datetime | None) -> datetime | None:
    """Return the aware datetime of an ISO 8601 text; raises ``ValueError`` for anything else."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value)


@dataclass(slots=True)
class TaskInstanceInfo:
    """The attempt, as the workload names it."""

    id: str
    task_id: str
    dag_id: str
    run_id: str
    try_number: int
    dag_version_id: str | None = None
    map_index: int = -1
    hostname: str | None = None
    context_carrier: dict[str, Any] | None = None
    queue: str = "default"
    pool_slots: int = 1
    priority_weight: int = 1


@dataclass(slots=True)
class BundleInfo:
    """Where the DAG file comes from; ``folder`` is told of a bundle without versions only."""

    name: str = ""
    version: str | None = None
    folder: str = ""

    @property
    def path(self) -> Path:
        """Folder of the bundle's files on this machine; raises what ``folder_of_version`` does where a version cannot be had."""
        if not self.version:
            return Path(self.folder)
        from orchestrator.sdk.bundles.on_worker import folder_of_version

        return folder_of_version(self.name, self.version)


@dataclass(slots=True, repr=False)
class DagRun:
    """The run, as ``context["dag_run"]`` shows it."""

    dag_id: str
    run_id: str
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    run_after: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    clear_number: int = 0
    run_type: DagRunType = DagRunType.MANUAL
    state: DagRunState = DagRunState.RUNNING
    conf: dict[str, Any] | None = None
    triggering_user_name: str | None = None
    consumed_asset_events: list[AssetEventResult] = field(default_factory=list)
    partition_key: str | None = None
    partition_date: datetime | None = None
    note: str | None = None
    team_name: str | None = None

    def __str__(self) -> str:
        return " ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self))

    def __repr__(self) -> str:
        return f"DagRun({str(self).replace(' ', ', ')})"

    @classmethod
    def from_json(cls, document: Json) -> DagRun:
        """Read the ``dag_run`` of an Execution API body."""
        values = _known(cls, document)
        for name in (
            "logical_date",
            "data_interval_start",
            "data_interval_end",
            "run_after",
            "start_date",
            "end_date",
            "partition_date",
        ):
            values[name] = instant(values.get(name))
        values["run_type"] = DagRunType(values.get("run_type", "manual"))
        values["state"] = DagRunState(values.get("state", "running"))
        values["consumed_asset_events"] = [event_from_json(item) for item in values.get("consumed_asset_events") or []]
        return cls(**values)


@dataclass(slots=True)
class TIRunContext:
    """What the Execution API answered when the attempt was started."""

    dag_run: DagRun
    max_tries: int = 0
    should_retry: bool = False
    task_reschedule_count: int = 0
    variables: list[Json] = field(default_factory=list)
    connections: list[Json] = field(default_factory=list)
    next_method: str | None = None
    next_kwargs: Json = None
    xcom_keys_to_clear: list[str] = field(default_factory=list)
    start_date: datetime | None = None  # first start of a deferred attempt

    @classmethod
    def from_json(cls, document: Json) -> TIRunContext:
        """Read the body of the ``/run`` answer."""
        values = _known(cls, document)
        values["dag_run"] = DagRun.from_json(document["dag_run"])
        values["start_date"] = instant(values.get("start_date"))
        for name in ("variables", "connections", "xcom_keys_to_clear"):
            values[name] = values.get(name) or []
        return cls(**values)


@dataclass(slots=True)
class StartupDetails:
    """Everything a task process is told before it starts."""

    ti: TaskInstanceInfo
    dag_rel_path: str
    bundle_info: BundleInfo
    start_date: datetime
    ti_context: TIRunContext
    sentry_integration: str = ""

    @classmethod
    def from_json(cls, document: Json) -> StartupDetails:
        """Read the document that the supervisor sends; raises ``KeyError``/``TypeError``/``ValueError`` if it is none."""
        started = instant(document["start_date"])
        if started is None:
            raise ValueError("start_date of the startup details is null; it must be an ISO 8601 instant.")
        return cls(
            ti=TaskInstanceInfo(**_known(TaskInstanceInfo, document["ti"])),
            dag_rel_path=document.get("dag_rel_path", ""),
            bundle_info=BundleInfo(**_known(BundleInfo, document.get("bundle_info") or {})),
            start_date=started,
            ti_context=TIRunContext.from_json(document["ti_context"]),
            sentry_integration=document.get("sentry_integration") or "",
        )


def _known(kind: type, document: Json) -> dict[str, Any]:
    names = kind.__slots__  # type: ignore[attr-defined]
    return {name: value for name, value in document.items() if name in names}
