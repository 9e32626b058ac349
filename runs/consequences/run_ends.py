"""Decides which deliveries follow the end of a run: the DAG's callbacks and alerts, and the end of its deadlines.

The reason that the author's callback reads is Airflow's word for it. A run that a person marks calls nothing, as there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import DagSpec
from runs.callbacks.kinds import Kind
from runs.callbacks.services import NewDelivery, deliveries_create, deliveries_release
from runs.causes import Cause
from runs.consequences.documents import attempt_document, run_document
from runs.consequences.specs import recent_spec
from runs.deadlines.services import deadlines_begin_where_missing, deadlines_settle, has_deadlines
from runs.models import DagRun, TaskInstance
from runs.states import DAG_RUN_FINISHED, FINISHED, DagRunState
from runs.states import TaskInstanceState as S

DEADLOCKED = "all_tasks_deadlocked"
_EVENTS = {DagRunState.SUCCESS: "on_success_callback", DagRunState.FAILED: "on_failure_callback"}


def after_run(run: DagRun, to_state: str, *, now: datetime, actor: str = "", cause: str = "") -> None:
    """Write what follows a change of a run's state; ``run`` still has the state as read."""
    spec = recent_spec(run.created_dag_version_id)
    if spec is None:
        return
    if to_state not in DAG_RUN_FINISHED:
        if has_deadlines(spec):
            # Cleared: its deadlines count anew. Made in bulk, as backfills make their runs: they begin only now.
            deadlines_begin_where_missing(run, spec, anew=run.state in DAG_RUN_FINISHED, now=now)
        return
    if has_deadlines(spec):
        deadlines_settle(run, succeeded=to_state == DagRunState.SUCCESS, now=now)
    if has_alerts(spec):
        deliveries_release(run.pk, now=now)
    if not actor:
        deliveries_create(_of_run(run, spec, DagRunState(to_state), cause, now), now=now)


def has_alerts(spec: DagSpec) -> bool:
    """Return whether any alert of the DAG may wait for others to join it."""
    return any(task.alerts or task.email for task in spec.tasks)


def _of_run(run: DagRun, spec: DagSpec, state: DagRunState, cause: str, now: datetime) -> Iterable[NewDelivery]:
    event = _EVENTS[state]
    alerts = (spec.alerts or {}).get(event) or {}
    wants_callback = getattr(spec, f"has_{event}") and not alerts.get("only")
    if not wants_callback and not alerts:
        return
    payload = _payload(run, event, state, _reason(state, cause), now)
    # A run that is cleared ends again; each end is one.
    key = f"dag {event}:{run.pk}:{new_id()}"
    if wants_callback:
        said = {**payload, "skip": [alert["index"] for alert in alerts.get("items", [])]}
        yield NewDelivery(Kind.DAG, run.dag_id, run.pk, said, key)
    for alert in alerts.get("items", []):
        said = {**payload, "path": alert["path"], "kwargs": alert["kwargs"]}
        yield NewDelivery(Kind.NOTIFIER, run.dag_id, run.pk, said, f"{key}:{alert['index']}")


def _payload(run: DagRun, event: str, state: DagRunState, reason: str, now: datetime) -> dict[str, Any]:
    last = _last_attempt(run, state, reason)
    return {
        "event": event,
        "reason": reason,
        "dag_run": {**run_document(run, state), "end_date": now.isoformat()},
        "ti": attempt_document(last, last.state) if last is not None else None,
        "exception": (last.cause_detail or last.cause) if last is not None and state == DagRunState.FAILED else None,
        "cause": reason,
    }


def _reason(state: DagRunState, cause: str) -> str:
    if state == DagRunState.SUCCESS:
        return "success"
    return {Cause.DAGRUN_TIMEOUT: "timed_out", DEADLOCKED: DEADLOCKED}.get(cause, "task_failure")


def _last_attempt(run: DagRun, state: DagRunState, reason: str) -> TaskInstance | None:
    """The attempt that the context shows: the last that failed, was still open, or succeeded."""
    rows = TaskInstance.objects.filter(dag_run=run)
    if reason in ("timed_out", DEADLOCKED):
        found = rows.exclude(state__in=list(FINISHED)).order_by("-start_date", "pk").exclude(start_date=None).first()
        return found or rows.exclude(state__in=list(FINISHED)).order_by("pk").first()
    wanted = S.FAILED if state == DagRunState.FAILED else S.SUCCESS
    return rows.filter(state=wanted).exclude(end_date=None).order_by("-end_date", "pk").first()
