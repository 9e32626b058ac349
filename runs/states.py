"""Decides which states a task instance and a DAG run can have, and which changes between them are allowed."""

from enum import StrEnum
from typing import Final

__all__ = [
    "DAG_RUN_FINISHED",
    "EDGES",
    "EXECUTING",
    "FAILED_STATES",
    "FINISHED",
    "RUN_EDGES",
    "SUCCESS_STATES",
    "UNFINISHED",
    "DagRunState",
    "DagRunType",
    "TaskInstanceState",
    "is_edge",
]


class TaskInstanceState(StrEnum):
    """State of a task instance; None (no state) means that nothing has been decided yet."""

    REMOVED = "removed"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    RESTARTING = "restarting"
    FAILED = "failed"
    UP_FOR_RETRY = "up_for_retry"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    UPSTREAM_FAILED = "upstream_failed"
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    AWAITING_INPUT = "awaiting_input"


class DagRunState(StrEnum):
    """State of a DAG run."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class DagRunType(StrEnum):
    """What created a DAG run."""

    MANUAL = "manual"
    SCHEDULED = "scheduled"
    BACKFILL = "backfill"
    ASSET_TRIGGERED = "asset_triggered"
    ASSET_MATERIALIZATION = "asset_materialization"
    OPERATOR_TRIGGERED = "operator_triggered"


_S = TaskInstanceState

State = TaskInstanceState | None

FINISHED: Final[frozenset[State]] = frozenset({_S.SUCCESS, _S.FAILED, _S.SKIPPED, _S.UPSTREAM_FAILED, _S.REMOVED})
UNFINISHED: Final[frozenset[State]] = frozenset({None, *_S}) - FINISHED
FAILED_STATES: Final[frozenset[State]] = frozenset({_S.FAILED, _S.UPSTREAM_FAILED})
SUCCESS_STATES: Final[frozenset[State]] = frozenset({_S.SUCCESS, _S.SKIPPED})
# An executor, a worker or a trigger has the attempt: it holds a place under parallelism caps and has an owner.
EXECUTING: Final[frozenset[State]] = frozenset({_S.QUEUED, _S.RUNNING, _S.RESTARTING})
DAG_RUN_FINISHED: Final[frozenset[DagRunState]] = frozenset({DagRunState.SUCCESS, DagRunState.FAILED})

_ALL: Final[frozenset[State]] = FINISHED | UNFINISHED
_WAITING_OUTSIDE: Final[frozenset[State]] = frozenset({_S.DEFERRED, _S.AWAITING_INPUT})
_NOT_STARTED: Final[frozenset[State]] = frozenset({None, _S.SCHEDULED, _S.QUEUED, _S.UP_FOR_RETRY, _S.UP_FOR_RESCHEDULE})

# to_state -> the states it may be entered from. A write that finds another state loses.
# success and failed are reachable from every state because a person may mark a task instance in any state;
# the transitions of workers and duties name the narrower set that they expect.
EDGES: Final[dict[State, frozenset[State]]] = {
    # Clear, an abandoned schedule, and a requeue that must be decided anew.
    None: _ALL - {None},
    # Decided to run; a resumed trigger and a due retry or reschedule come back here; so does a hand-over nobody accepted.
    _S.SCHEDULED: _NOT_STARTED - {_S.SCHEDULED} | _WAITING_OUTSIDE | {_S.RUNNING},
    # Handed to an executor; a hand-over may be repeated under a new dispatch id, and a lost attempt handed over again.
    _S.QUEUED: frozenset({_S.SCHEDULED, _S.QUEUED, _S.RUNNING, _S.RESTARTING} | _WAITING_OUTSIDE),
    _S.RUNNING: frozenset({_S.QUEUED, _S.RESTARTING}),
    _S.RESTARTING: frozenset({_S.RUNNING}),
    _S.SUCCESS: _ALL - {_S.SUCCESS},
    _S.FAILED: _ALL - {_S.FAILED},
    _S.SKIPPED: _ALL - {_S.SKIPPED},
    _S.UP_FOR_RETRY: frozenset({_S.SCHEDULED, _S.QUEUED, _S.RUNNING, _S.RESTARTING} | _WAITING_OUTSIDE),
    _S.UP_FOR_RESCHEDULE: frozenset({_S.RUNNING}),
    _S.DEFERRED: frozenset({_S.SCHEDULED, _S.RUNNING}),  # from scheduled: a task that starts in its trigger
    _S.AWAITING_INPUT: frozenset({_S.SCHEDULED, _S.RUNNING, _S.DEFERRED}),
    # Also from an executing state: a run in which everything is blocked gives up what cannot succeed any more.
    _S.UPSTREAM_FAILED: UNFINISHED,
    # The task or its index left the DAG.
    _S.REMOVED: _ALL - {_S.REMOVED},
}

RUN_EDGES: Final[dict[DagRunState, frozenset[DagRunState]]] = {
    DagRunState.QUEUED: frozenset({DagRunState.RUNNING, *DAG_RUN_FINISHED}),
    DagRunState.RUNNING: frozenset({DagRunState.QUEUED, *DAG_RUN_FINISHED}),
    DagRunState.SUCCESS: frozenset(DagRunState) - {DagRunState.SUCCESS},
    DagRunState.FAILED: frozenset(DagRunState) - {DagRunState.FAILED},
}


def is_edge(from_state: State, to_state: State) -> bool:
    """Return whether a task instance may go from one state to the other."""
    return from_state in EDGES[to_state]
