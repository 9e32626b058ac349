"""Decides what one change of state counts as, under Airflow's names and tags."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchestrator.kernel.telemetry import count, timing
from runs.causes import Cause
from runs.models import DagRun, StateChange
from runs.states import DagRunState, DagRunType
from runs.states import TaskInstanceState as S

Facts = dict[str, Any]
Tags = dict[str, str]

# A worker's or a trigger's end of an attempt; what was decided without it never began and is no end of a start.
_BEGUN = frozenset({S.RUNNING, S.DEFERRED, S.AWAITING_INPUT})
_ENDS = frozenset({S.SUCCESS, S.FAILED, S.SKIPPED, S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE, S.DEFERRED, S.REMOVED})
_OUTCOMES = {S.SUCCESS: "successes", S.FAILED: "failures", S.UP_FOR_RETRY: "failures"}
_SILENT = frozenset({Cause.LEASE_LOST, Cause.HEARTBEAT_TIMEOUT})
_KILLED = frozenset({Cause.HOST_DIED, Cause.SUPERVISOR_DIED, Cause.EVICTED, Cause.REPORT_LOST})
_TAKEN_BACK = frozenset({Cause.LAUNCH_ERROR, Cause.SUPERVISOR_DIED, Cause.EVICTED})


def count_attempt(change: StateChange, facts: Facts) -> None:
    """Count one change of an attempt; ``facts`` are the columns of its row, none where that is gone."""
    tags = {"dag_id": change.dag_run.dag_id, "task_id": change.task_id}
    before, after = change.from_state, change.to_state
    if after == S.RUNNING:
        count("ti.start", **tags)
        if facts.get("try_number") == 1:  # Airflow times the first round only
            _between("task.queued_duration", facts.get("queued_dttm"), facts.get("start_date"), {**tags, "queue": facts["queue"]})
    elif after == S.QUEUED and facts.get("try_number") in (0, 1):
        queued = {**tags, "queue": facts["queue"]}
        _between("task.scheduled_duration", facts.get("scheduled_dttm"), change.at, queued)
    elif before in _BEGUN and after in _ENDS:
        _count_end(change, facts, tags)
    if before == S.DEFERRED:
        count("triggers.succeeded" if after in (S.SCHEDULED, S.SUCCESS, S.SKIPPED) else "triggers.failed")
    _count_loss(change, tags)
    _count_membership(change)


def _count_end(change: StateChange, facts: Facts, tags: Tags) -> None:
    count("ti.finish", state=str(change.to_state), **tags)
    if facts.get("duration") is not None and change.from_state == S.RUNNING:
        timing("task.duration", facts["duration"], **tags)
    outcome = _OUTCOMES.get(S(str(change.to_state)))
    if outcome is None:
        return
    count(f"ti_{outcome}", **tags)
    if facts.get("operator"):
        count(f"operator_{outcome}", operator_name=facts["operator"], **tags)


def _count_loss(change: StateChange, tags: Tags) -> None:
    if change.cause in _SILENT:
        count("task_instances_without_heartbeats_killed", **tags)
    elif change.from_state == S.QUEUED and change.to_state == S.SCHEDULED and change.cause in _TAKEN_BACK:
        count("scheduler.orphaned_tasks.cleared")
    elif change.from_state in (S.QUEUED, S.RUNNING) and change.cause in _KILLED:
        count("scheduler.tasks.killed_externally", **tags)


def _count_membership(change: StateChange) -> None:
    """Count that a task left its DAG or came back to it while the run goes on."""
    run = change.dag_run
    if change.to_state == S.REMOVED:
        count("task_removed_from_dag", dag_id=run.dag_id, run_type=run.run_type)
    elif change.from_state == S.REMOVED:
        count("task_restored_to_dag", dag_id=run.dag_id, run_type=run.run_type)


def count_run(change: StateChange, first_start: datetime | None) -> None:
    """Count one change of a run.

    Args:
        change: the change; its run is read as it is now.
        first_start: when the first task began, for a run of the schedule that ended now.
    """
    run, state = change.dag_run, change.to_state
    tags = {"dag_id": run.dag_id, "run_type": run.run_type}
    if state == DagRunState.RUNNING:
        _count_start(run)
        return
    if state not in (DagRunState.SUCCESS, DagRunState.FAILED):
        return
    if run.duration is not None:
        timing(f"dagrun.duration.{state}", run.duration, **tags)
    _between("dagrun.first_task_scheduling_delay", run.run_after, first_start, tags)
    _between("dagrun.first_task_start_delay", run.queued_at, first_start, tags)


def _count_start(run: DagRun) -> None:
    if run.clear_number:
        return
    if run.run_type == DagRunType.ASSET_TRIGGERED:
        count("asset.triggered_dagruns")
    elif run.run_type in (DagRunType.SCHEDULED, DagRunType.BACKFILL):
        _between("dagrun.schedule_delay", run.run_after, run.start_date, {"dag_id": run.dag_id})


def _between(name: str, start: datetime | None, end: datetime | None, tags: Tags) -> None:
    if start is not None and end is not None and end >= start:
        timing(name, (end - start).total_seconds(), **tags)
