"""Decides what a triggerer knows of a wait, and what its runner is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from runs.logs import LogPathError, log_file
from runs.models import TaskInstance, Trigger
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

    def start_message(self, kwargs: str) -> dict[str, Any]:
        """Return what starts the trigger; ``kwargs`` is JSON in clear."""
        return {"type": "Start", "id": self.trigger_id, "classpath": self.classpath, "kwargs": kwargs, "ti": self.ti}


def wait_of(trigger: Trigger, row: TaskInstance) -> Wait:
    """Return the wait of a trigger's row."""
    ids = {"dag_id": row.dag_id, "task_id": row.task_id, "run_id": row.run_id}
    ti = {"id": str(row.id), **ids, "map_index": row.map_index, "try_number": row.try_number}
    return Wait(trigger.pk, row.id, row.dispatch_id, trigger.classpath, _log_path(row), ti)


def kwargs_of(trigger: Trigger) -> str:
    """Return the arguments in clear, as JSON text; raises ``vault.keys.UndecryptableError``."""
    return kwargs_opened(trigger.encrypted_kwargs)


def _log_path(row: TaskInstance) -> Path | None:
    try:
        return log_file(row)
    except LogPathError:
        return None
