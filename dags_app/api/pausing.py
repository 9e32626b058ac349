"""Decides what pausing and unpausing a DAG writes; API and pages share it."""

from accounts.services import audit_write
from dags_app.models import Dag
from orchestrator.database import notify_on_commit


def dag_pause(dag_id: str, is_paused: bool, *, actor: str) -> bool:
    """Set the switch inside the caller's transaction and wake the scheduler; False means that there is no such DAG."""
    was_paused = Dag.objects.filter(pk=dag_id).values_list("is_paused", flat=True).first()
    if was_paused is None:
        return False
    Dag.objects.filter(pk=dag_id).update(is_paused=is_paused)
    if was_paused != is_paused:
        changes = {"before": {"is_paused": was_paused}, "after": {"is_paused": is_paused}}
        audit_write("paused" if is_paused else "unpaused", actor=actor, dag_id=dag_id, **changes)
    notify_on_commit("scheduler")
    return True
