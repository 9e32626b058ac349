"""Decides how a DAG run looks to a worker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchestrator.kernel.clock import isoformat_z
from runs.models import DagRun


def moment(value: datetime | None) -> str | None:
    """An instant as the API writes it."""
    return None if value is None else isoformat_z(value)


def dag_run_document(run: DagRun) -> dict[str, Any]:
    """The run in the newest API version."""
    return {
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "logical_date": moment(run.logical_date),
        "data_interval_start": moment(run.data_interval_start),
        "data_interval_end": moment(run.data_interval_end),
        "run_after": moment(run.run_after),
        "start_date": moment(run.start_date),
        "end_date": moment(run.end_date),
        "clear_number": run.clear_number,
        "run_type": run.run_type,
        "state": run.state,
        "conf": run.conf,
        "triggering_user_name": run.triggering_user_name,
        "consumed_asset_events": [],
        "partition_key": run.partition_key,
        "partition_date": None,
        "note": run.note,
        "team_name": None,
    }
