"""Decides the DAG arguments that Airflow does not have: overlapping runs, unpausing, rules on causes, runs of asset events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from orchestrator.sdk.serialization.cause_rules import cause_rules

OVERLAP_POLICIES = ("allow", "skip", "queue_one", "queue_all", "cancel_previous")
ON_UNPAUSE = ("none", "last", "all")
EVENT_POLICIES = ("batch", "each", "window", "latest")


def take_extensions(dag: Any, overlap_policy: str, on_unpause: str | None, retry_rules: Any) -> None:
    """Set the three on a DAG; raises ``ValueError`` naming the DAG, the argument and the words that it takes.

    Args:
        overlap_policy: what a due run of the schedule does while another one is unfinished.
        on_unpause: what happens to the intervals missed while the DAG was paused; None as in Airflow.
        retry_rules: see ``cause_rules``.
    """
    dag.overlap_policy = _word(overlap_policy, OVERLAP_POLICIES, f"overlap_policy of DAG {dag.dag_id!r}")
    dag.on_unpause = on_unpause and _word(on_unpause, ON_UNPAUSE, f"on_unpause of DAG {dag.dag_id!r}")
    dag.retry_rules = cause_rules(retry_rules, f"retry_rules of DAG {dag.dag_id!r}")


def take_event_policy(dag: Any, event_policy: str, event_window: timedelta | float | None) -> None:
    """Set what events of assets become; raises ``ValueError`` naming the DAG, the argument and what it takes.

    Args:
        event_policy: ``batch`` (as in Airflow: a run takes all that waits), ``each`` (one run per event), ``window`` (as
            ``batch``, but after ``event_window``) or ``latest`` (a run takes the newest event of each asset).
        event_window: a timedelta or seconds, more than 0; with ``window`` only.
    """
    where = f"of DAG {dag.dag_id!r}"
    dag.event_policy = _word(event_policy, EVENT_POLICIES, f"event_policy {where}")
    if dag.event_policy != "batch" and getattr(dag.timetable, "asset_condition", None) and dag.timetable.partitioned:
        raise ValueError(f"event_policy {where} must be 'batch', not {event_policy!r}: a partitioned schedule has a run per key")
    if (event_policy == "window") != (event_window is not None):
        raise ValueError(f"event_window {where} goes with event_policy='window': give both or neither")
    dag.event_window = None if event_window is None else _seconds(event_window, f"event_window {where}")


def _seconds(value: Any, where: str) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
        raise ValueError(f"{where} must be a timedelta or a number of seconds above 0, not {value!r}")
    return float(seconds)


def _word(value: str, allowed: tuple[str, ...], where: str) -> str:
    if value not in allowed:
        raise ValueError(f"{where} must be one of {', '.join(allowed)}, not {value!r}")
    return value
