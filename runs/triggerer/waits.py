"""Decides what a triggerer knows of a wait, and what its runner is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from orchestrator.config import conf
from runs.callbacks.workloads import log_path as delivery_log_path
from runs.logs import LogPathError, log_file
from runs.models import Callback, TaskInstance, Trigger
from runs.trigger_kwargs import kwargs_opened


@dataclass(frozen=True, slots=True)
class Wait:
    """A trigger with the attempt that waits for it; ``log_path`` is None where an id leads out of the log folder."""

    trigger_id: int
    ti_id: UUID
    dispatch_id: UUID | None
    classpath: str
    log_path: Path | None
    ti: dict[str, Any]
    is_callback: bool = False  # it runs a callback, under the dispatch id of that; no attempt waits for it
    is_watcher: bool = False  # it watches for events of assets, as many as come; no attempt waits for it

    def start_message(self, kwargs: str) -> dict[str, Any]:
        """Return what starts the trigger; ``kwargs`` is JSON in clear."""
        message = {"type": "Start", "id": self.trigger_id, "classpath": self.classpath, "kwargs": kwargs, "ti": self.ti}
        return message | {"goes_on": True} if self.is_watcher else message


def wait_of(trigger: Trigger, row: TaskInstance) -> Wait:
    """Return the wait of a trigger's row."""
    ids = {"dag_id": row.dag_id, "task_id": row.task_id, "run_id": row.run_id}
    ti = {"id": str(row.id), **ids, "map_index": row.map_index, "try_number": row.try_number}
    return Wait(trigger.pk, row.id, row.dispatch_id, trigger.classpath, _log_path(row), ti)


def wait_of_watcher(trigger: Trigger) -> Wait:
    """Return the wait of a trigger that watches for events of assets."""
    return Wait(trigger.pk, UUID(int=0), None, trigger.classpath, None, {}, is_watcher=True)


def wait_of_callback(trigger: Trigger, delivery: Callback) -> Wait:
    """Return the wait of a trigger that runs a callback."""
    run_id = delivery.payload.get("dag_run", {}).get("run_id") or "none"
    path = Path(conf.get("logging", "base_log_folder")) / delivery_log_path(delivery.dag_id, run_id, delivery.pk)
    return Wait(trigger.pk, UUID(int=0), delivery.dispatch_id, trigger.classpath, path, {}, is_callback=True)


def kwargs_of(trigger: Trigger) -> str:
    """Return the arguments in clear, as JSON text; raises ``vault.keys.UndecryptableError``."""
    return kwargs_opened(trigger.encrypted_kwargs)


def _log_path(row: TaskInstance) -> Path | None:
    try:
        return log_file(row)
    except LogPathError:
        return None
