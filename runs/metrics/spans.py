"""Decides which spans a run leaves: one for itself, one for each attempt that ended, all of one trace, as in Airflow.

They are made from the log of changes like the counters, so no task pays for them, and from ids alone: whoever leads makes
the same trace.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from orchestrator.metrics.otel_traces import FinishedSpan
from runs.metrics.counted import Facts
from runs.models import DagRun, StateChange
from runs.states import DAG_RUN_FINISHED, DagRunState
from runs.states import TaskInstanceState as S

# A retry is another attempt with its own span; a reschedule and a deferral are not the end of theirs.
_ENDS = frozenset({S.SUCCESS, S.FAILED, S.SKIPPED, S.UP_FOR_RETRY})
_BEGUN = frozenset({S.RUNNING, S.DEFERRED, S.AWAITING_INPUT})


class Spans:
    """Hears the changes of a page of the log and sends the spans that are over with them."""

    def __init__(self, send: Callable[[FinishedSpan], None]) -> None:
        self._send = send

    def __call__(self, changes: Sequence[StateChange], facts: dict[UUID, Facts]) -> None:
        """Send what is over."""
        for change in changes:
            if not change.task_id:
                span = run_span(change)
            else:
                span = attempt_span(change, facts.get(change.ti_id, {})) if change.ti_id else None
            if span is not None:
                self._send(span)


def run_span(change: StateChange) -> FinishedSpan | None:
    """Return the span of a run that ended with this change, else None."""
    run = change.dag_run
    if change.to_state not in DAG_RUN_FINISHED:
        return None
    trace_id, span_id = _ids(run)
    moments = {name: getattr(run, name) for name in ("start_date", "end_date", "queued_at", "logical_date", "partition_date")}
    attributes = _of_run(run) | {f"airflow.dag_run.{name}": str(at) for name, at in moments.items() if at}
    if run.partition_key:
        attributes["airflow.dag_run.partition_key"] = run.partition_key
    start = run.queued_at or run.start_date or change.at
    is_ok = change.to_state == DagRunState.SUCCESS
    return FinishedSpan(trace_id, span_id, f"dag_run.{run.dag_id}", start, _after(start, change.at), is_ok, attributes=attributes)


def attempt_span(change: StateChange, facts: Facts) -> FinishedSpan | None:
    """Return the span of an attempt that a worker or trigger had and that ended with this change, else None."""
    if change.from_state not in _BEGUN or change.to_state not in _ENDS:
        return None
    trace_id, parent_id = _ids(change.dag_run)
    label = f"task_run.{change.task_id}" + (f"[{change.map_index}]" if change.map_index >= 0 else "")
    begun = [at for at in (facts.get("queued_dttm"), facts.get("start_date"), change.at) if at]
    attributes = _of_run(change.dag_run) | {
        "airflow.task_id": change.task_id,
        "airflow.task_instance.try_number": change.try_number,
        "airflow.task_instance.map_index": change.map_index,
        "airflow.task_instance.state": str(change.to_state),
        "airflow.task_instance.id": str(change.ti_id),
    }
    is_ok = change.to_state == S.SUCCESS
    span_id = _number(str(change.ti_id), 8)
    end = facts.get("end_date") or change.at
    return FinishedSpan(trace_id, span_id, label, min(begun), _after(min(begun), end), is_ok, parent_id, attributes)


def _of_run(run: DagRun) -> dict[str, str | int]:
    return {"airflow.dag_id": run.dag_id, "airflow.dag_run.run_id": run.run_id, "airflow.dag_run.run_type": run.run_type}


def _ids(run: DagRun) -> tuple[int, int]:
    """Trace and span of a run; a run that is cleared begins another trace."""
    name = f"{run.dag_id}\n{run.run_id}\n{run.clear_number}"
    return _number(name, 16), _number(f"run\n{name}", 8)


def _number(text: str, size: int) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:size]) or 1


def _after(start: datetime, end: datetime) -> datetime:
    return max(start, end)
