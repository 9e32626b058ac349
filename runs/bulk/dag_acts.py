"""Decides what each kind of bulk action does to one DAG; the services do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from accounts.services import audit_write
from dags_app.models import Dag
from dags_app.pausing import dag_pause
from runs.bulk.acts import THE_ITEM, GoneError, Job, Place
from runs.services import run_trigger

DagAct = Callable[[Job, str], set[Place]]
"""Acts on a DAG by its id, and returns ``THE_ITEM`` where something changed."""


def _trigger(job: Job, dag_id: str) -> set[Place]:
    """Start a run; its audit row names it, so that the service of bulk actions writes none."""
    dag = Dag.objects.filter(pk=dag_id).first()
    if dag is None:
        raise GoneError("the DAG was deleted meanwhile")
    conf, note = job.options.get("conf") or {}, job.options.get("note") or None
    run = run_trigger(dag=dag, conf=conf, note=note, triggered_by=job.door, user_name=job.actor)
    extra = {"bulk_action": job.number, "conf": conf, "note": note}
    audit_write("trigger_dag_run", actor=job.actor, dag_id=dag_id, run_id=run.run_id, extra=extra)
    if dag.is_paused and job.options.get("unpause"):
        dag_pause(dag_id, False, actor=job.actor)
    return {THE_ITEM}


DAG_ACTS: Mapping[str, DagAct] = {"trigger": _trigger}
