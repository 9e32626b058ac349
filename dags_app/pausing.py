"""Decides what pausing and unpausing a DAG writes; API, pages and the scheduler share it."""

from __future__ import annotations

from typing import Any

from accounts.services import audit_write
from dags_app.missed import ON_UNPAUSE, missed_choice, take_missed
from dags_app.models import Dag
from orchestrator.database import for_update, notify_on_commit

__all__ = ["ON_UNPAUSE", "dag_pause"]


def dag_pause(dag_id: str, is_paused: bool, *, actor: str, reason: str = "", missed: str | None = None) -> bool:
    """Set the switch inside the caller's transaction and wake the scheduler; False means that there is no such DAG.

    Args:
        actor: who did it.
        reason: why the platform did it, for the audit log.
        missed: on unpausing, which missed intervals run: ``none``, ``last`` or ``all``; None leaves it to the DAG's
            ``on_unpause``, then to ``[scheduler] on_unpause``, then to its schedule, as in Airflow (C24-c).
    """
    dag = for_update(Dag.objects.filter(pk=dag_id)).first()
    if dag is None:
        return False
    was_paused = dag.is_paused
    Dag.objects.filter(pk=dag_id).update(is_paused=is_paused)
    if was_paused != is_paused:
        after: dict[str, Any] = {"is_paused": is_paused} | ({"reason": reason} if reason else {})
        choice = missed_choice(dag, missed) if was_paused else None
        if choice is not None:
            after |= {"missed": choice, "skipped_intervals": take_missed(dag, choice)}
        event = "paused" if is_paused else "unpaused"
        audit_write(event, actor=actor, dag_id=dag_id, before={"is_paused": was_paused}, after=after)
    notify_on_commit("scheduler")
    return True
