"""Decides what a delivery is told of the run and the attempt that it is about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchestrator.kernel.clock import isoformat_z
from runs.models import DagRun, TaskInstance


def moment(value: datetime | None) -> str | None:
    """Return an instant as the Execution API writes it."""
    return None if value is None else isoformat_z(value)


def run_document(run: DagRun, state: str | None = None) -> dict[str, Any]:
    """Return the run; ``state`` is the one that it is about to have."""
    return {
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "logical_date": moment(run.logical_date),
        "data_interval_start": moment(run.data_interval_start),
        "data_interval_end": moment(run.data_interval_end),
        "run_after": moment(run.run_after),
        "queued_at": moment(run.queued_at),
        "start_date": moment(run.start_date),
        "end_date": moment(run.end_date),
        "clear_number": run.clear_number,
        "run_type": run.run_type,
        "state": state or run.state,
        "conf": run.conf,
        "triggering_user_name": run.triggering_user_name,
        "triggered_by": run.triggered_by,
        "partition_key": run.partition_key,
        "note": run.note,
    }


def attempt_document(row: TaskInstance, state: str | None) -> dict[str, Any]:
    """Return the attempt as it ended in ``state``."""
    return {
        "id": str(row.id),
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "task_id": row.task_id,
        "map_index": row.map_index,
        "try_number": row.try_number,
        "max_tries": row.max_tries,
        "dag_version_id": str(row.dag_version_id) if row.dag_version_id else None,
        "hostname": row.hostname or None,
        "queue": row.queue,
        "pool_slots": row.pool_slots,
        "priority_weight": row.priority_weight,
        "start_date": moment(row.start_date),
        "operator": row.operator or None,
        "state": state,
    }
