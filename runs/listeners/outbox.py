"""Decides what is written for listeners when something changes; nothing where no plugin listens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dags_app.models import AssetAlias
from dags_app.plugins import alias_told, asset_told, hooks_heard
from orchestrator.database import notify_on_commit
from orchestrator.kernel.ids import new_id
from runs.causes import Cause
from runs.changes import SCHEDULER_TOPIC
from runs.models import AssetEvent, Callback, DagRun

KIND = "listener"
RUN_HOOKS = {"running": "on_dag_run_running", "success": "on_dag_run_success", "failed": "on_dag_run_failed"}
_PLAIN = ("dag_id", "run_id", "run_type", "triggered_by", "triggering_user_name", "bundle_version", "partition_key")
_INSTANTS = ("logical_date", "data_interval_start", "data_interval_end", "run_after", "queued_at", "start_date", "end_date")


def tell(hook: str, arguments: dict[str, Any], *, now: datetime, run: DagRun | None = None) -> bool:
    """Write one event for listeners, inside the transaction of its cause; False where nobody listens to the hook.

    :param arguments: JSON by argument name; see ``orchestrator.sdk.parsing.extras.told`` for instants and plain dicts.
    """
    if hook not in hooks_heard():
        return False
    Callback.objects.create(
        kind=KIND,
        dag_id=run.dag_id if run is not None else "",
        dag_run=run,
        payload={"hook": hook, "arguments": arguments},
        dedupe_key=f"{KIND}:{new_id()}",
        created_at=now,  # without a time of delivery: only the duty of listeners takes these rows
    )
    notify_on_commit(SCHEDULER_TOPIC)
    return True


def tell_run(run: DagRun, state: str, *, now: datetime, actor: str = "", cause: str = "", **values: Any) -> None:
    """Tell listeners of a run's new state. ``values`` are columns that change with it."""
    hook = RUN_HOOKS.get(state)
    if hook is not None and hook in hooks_heard():
        tell(hook, {"dag_run": run_document(run, state, values), "msg": _message(state, actor, cause)}, now=now, run=run)


def tell_events(
    events: Sequence[AssetEvent], aliases: Sequence[Sequence[AssetAlias]], dates: Sequence[datetime | None], *, now: datetime
) -> None:
    """Tell listeners of events of assets, with the aliases that each came through and the partition date of its run."""
    if not {"on_asset_changed", "on_asset_event_emitted"} & hooks_heard():
        return
    for event, names, date in zip(events, aliases, dates, strict=True):
        tell("on_asset_changed", {"asset": asset_told(event.asset)}, now=now)
        tell("on_asset_event_emitted", {"asset_event": event_document(event, names, date)}, now=now)


def event_document(event: AssetEvent, aliases: Sequence[AssetAlias], date: datetime | None) -> dict[str, Any]:
    """Return what a listener reads of an event of an asset."""
    sources = ("source_dag_id", "source_task_id", "source_run_id", "source_map_index", "partition_key")
    return {
        "asset": asset_told(event.asset),
        "extra": {"__dict__": event.extra or {}},
        **{name: getattr(event, name) for name in sources},
        "source_aliases": [alias_told(alias) for alias in aliases],
        "partition_date": {"__instant__": date.isoformat()} if date is not None else None,
    }


def run_document(run: DagRun, state: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what a listener reads of a run."""
    document: dict[str, Any] = {name: getattr(run, name, None) for name in _PLAIN}
    for name in _INSTANTS:
        value = values[name] if name in values else getattr(run, name, None)
        document[name] = {"__instant__": value.isoformat()} if value is not None else None
    version = run.created_dag_version
    document |= {"id": run.pk, "state": str(state), "conf": {"__dict__": run.conf or {}}}
    document["version_number"] = version.version_number if version is not None else None
    return document


def _message(state: str, actor: str, cause: str) -> str:
    """Airflow's words for why."""
    if actor:
        return ""
    if state == "failed":
        return {Cause.DAGRUN_TIMEOUT: "timed_out", "deadlocked": "all_tasks_deadlocked"}.get(cause, "task_failure")
    return "started" if state == "running" else str(state)
