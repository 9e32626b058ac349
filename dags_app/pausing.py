"""Decides what pausing and unpausing a DAG writes; API, pages and the scheduler share it."""

from __future__ import annotations

from typing import Any

from accounts.services import audit_write
from dags_app.missed import ON_UNPAUSE, missed_choice, take_missed
from dags_app.models import Dag
from orchestrator.database import for_update, notify_on_commit

__all__ = ["ON_UNPAUSE", "PAUSED", "UNPAUSED", "dag_pause", "switch_of", "switch_write"]

# The events of the audit log.
PAUSED, UNPAUSED = "paused", "unpaused"


def dag_pause(dag_id: str, is_paused: bool, *, actor: str, reason: str = "", missed: str | None = None) -> bool | None:
    """Set the switch inside the caller's transaction and wake the scheduler; tells whether it was moved.

    False means that it stood so already, and that the audit log has no row; None that there is no such DAG.

    Args:
        actor: who did it.
        reason: why the platform did it, for the audit log.
        missed: on unpausing, which missed intervals run: ``none``, ``last`` or ``all``; None leaves it to the DAG's
            ``on_unpause``, then to ``[scheduler] on_unpause``, then to its schedule, as in Airflow (C24-c).
    """
    dag = for_update(Dag.objects.filter(pk=dag_id)).first()
    if dag is None:
        return None
    was_paused, before = dag.is_paused, switch_of(dag)
    if was_paused != is_paused:
        after: dict[str, Any] = {"is_paused": is_paused} | ({"reason": reason} if reason else {})
        choice = missed_choice(dag, missed) if was_paused else None
        if choice is not None:
            after |= {"missed": choice, "skipped_intervals": take_missed(dag, choice)}
        switch_write(dag, is_paused, actor=actor, before=before, after=after)
    notify_on_commit("scheduler")
    return was_paused != is_paused


def switch_write(dag: Dag, is_paused: bool, *, actor: str, **about: Any) -> None:
    """Write the switch of a locked DAG; ``about`` is what its row in the audit log says beside: before, after, extra."""
    Dag.objects.filter(pk=dag.pk).update(is_paused=is_paused)
    dag.is_paused = is_paused
    audit_write(PAUSED if is_paused else UNPAUSED, actor=actor, dag_id=dag.pk, **about)


def switch_of(dag: Dag) -> dict[str, Any]:
    """Return what the switch of a DAG may change, as the audit log keeps it: enough to take a change back."""
    marks = {"skip_missed_until": dag.skip_missed_until, "catch_up_until": dag.catch_up_until}
    return {"is_paused": dag.is_paused} | {name: instant.isoformat() for name, instant in marks.items() if instant is not None}
