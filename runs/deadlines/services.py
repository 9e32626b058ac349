"""Decides when deadlines of a run begin and end beside the run itself.

They are rows, made with the run. Nothing is written when a task starts or ends: a deadline is looked at when its moment
comes, and the rows of the attempts say then whether it was met. A DAG without deadlines costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from orchestrator.database import notify_on_commit
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import DagSpec
from runs.callbacks.kinds import Kind
from runs.callbacks.services import SCHEDULER_TOPIC, NewDelivery, deliveries_create
from runs.consequences.documents import run_document
from runs.consequences.specs import recent_spec
from runs.deadlines.moments import (
    ATTEMPT_REFERENCES,
    LATER_REFERENCES,
    Alert,
    fixed_moment,
    interval_of,
    is_custom,
    kind_of,
    reference_moment,
)
from runs.models import Callback, DagRun, Deadline

log = logging.getLogger(__name__)

State = Deadline.State
SHORTEST_LOOK_SECONDS = 5.0


def has_deadlines(spec: DagSpec) -> bool:
    """Return whether anything in the DAG has a deadline."""
    return bool(spec.deadline) or any(t.deadline for t in spec.tasks) or any(g.deadline for g in spec.task_groups)


def run_created(sender: Any, instance: DagRun, created: bool, **_: Any) -> None:
    """Make the deadlines of a new run, in the transaction that makes the run; called for every saved run."""
    if not created:
        return
    spec = recent_spec(instance.created_dag_version_id)
    if spec is not None and has_deadlines(spec):
        deadlines_begin(instance, spec, now=instance.queued_at or instance.run_after)


def subjects(spec: DagSpec) -> Iterator[tuple[str, str, int, Alert]]:
    """Yield kind (run, task or group), id, place and alert of everything that has a deadline."""
    for place, alert in enumerate(spec.deadline or ()):
        yield "run", "", place, alert
    for task in spec.tasks:
        for place, alert in enumerate(task.deadline or ()):
            yield "task", task.task_id, place, alert
    for group in spec.task_groups:
        for place, alert in enumerate(group.deadline or ()):
            yield "group", group.group_id or "", place, alert


def deadlines_begin(run: DagRun, spec: DagSpec, *, now: datetime) -> None:
    """Make the deadlines of a run, or begin anew those of a run that was cleared.

    A deadline that cannot be made (a Variable that is missing) is logged and left out: it must not stop the run.
    """
    rows = [row for row in (_begun(run, *subject, now=now) for subject in subjects(spec)) if row is not None]
    _begin_anew(run, rows)
    Deadline.objects.bulk_create(rows, ignore_conflicts=True)
    deliveries_create(_references(run, spec), now=now)
    notify_on_commit(SCHEDULER_TOPIC)


def deadlines_begin_where_missing(run: DagRun, spec: DagSpec, *, anew: bool, now: datetime) -> None:
    """Make the deadlines of a run that has none yet, or ``anew`` those of one that was cleared."""
    if anew or not Deadline.objects.filter(dag_run=run).exists():
        deadlines_begin(run, spec, now=now)


def _begun(run: DagRun, kind: str, name: str, place: int, alert: Alert, now: datetime) -> Deadline | None:
    if is_custom(alert):
        return None
    try:
        moment = _first_look(run, kind, name, alert, now)
    except (ValueError, KeyError, TypeError) as error:
        log.warning("a deadline of %s %s %s is left out: %s", run.dag_id, run.run_id, name, error)
        return None
    return None if moment is None else _row(run, kind, name, place, alert, moment, now)


def _first_look(run: DagRun, kind: str, name: str, alert: Alert, now: datetime) -> datetime | None:
    """Return when to look first; for what counts from something that has not happened yet, an early guess."""
    interval = interval_of(alert, run, name)
    if interval is None:
        return None
    if kind_of(alert) in ATTEMPT_REFERENCES and kind == "run":
        raise ValueError(f"{kind_of(alert)} is for tasks and groups")
    moment = reference_moment(alert, run, now)
    if moment is None:
        return now + max(interval, timedelta(seconds=1)) if kind_of(alert) in LATER_REFERENCES else None
    return moment + interval


def _row(run: DagRun, kind: str, name: str, place: int, alert: Alert, moment: datetime, now: datetime) -> Deadline:
    kept = {**alert, "subject": kind}
    if kind_of(alert) not in LATER_REFERENCES:
        kept["moment"] = moment.isoformat()
    values = {"dag_run": run, "dag_id": run.dag_id, "task_id": name, "alert_index": _index(kind, place)}
    return Deadline(id=new_id(), alert=kept, deadline_time=moment, created_at=now, **values)


def _index(kind: str, place: int) -> int:
    """A task and a group may have one name."""
    return place + (1000 if kind == "group" else 0)


def _begin_anew(run: DagRun, rows: Iterable[Deadline]) -> None:
    """Delete what a cleared run had from its first time, where it counts anew; what was missed stays missed."""
    for row in rows:
        old = Deadline.objects.filter(dag_run=run, task_id=row.task_id, alert_index=row.alert_index).exclude(state=State.MISSED)
        old.delete()


def _references(run: DagRun, spec: DagSpec) -> Iterator[NewDelivery]:
    """Have a worker ask the author's own references: their code never runs in this process."""
    for kind, name, place, alert in subjects(spec):
        if is_custom(alert):
            payload = {
                "path": alert["reference"]["__class_path"],
                "reference": {key: value for key, value in alert["reference"].items() if key != "__class_path"},
                "dag_run": run_document(run),
                "alert": alert,
                "subject": [kind, name, place],
            }
            key = f"reference:{run.pk}:{run.clear_number}:{kind}:{place}:{name}"
            yield NewDelivery(Kind.REFERENCE, run.dag_id, run.pk, payload, key[:250])


def deadline_from_reference(delivery: Callback, moment: Any, *, now: datetime) -> None:
    """Make the deadline whose reference a worker has evaluated; without a moment there is none."""
    run, alert, (kind, name, place) = delivery.dag_run, delivery.payload["alert"], delivery.payload["subject"]
    if run is None or not isinstance(moment, str):
        return
    found = datetime.fromisoformat(moment)
    if found.tzinfo is None:
        log.warning("the reference %s returned %s without a zone; there is no deadline", delivery.payload["path"], moment)
        return
    try:
        interval = interval_of(alert, run, name)
    except ValueError as error:
        log.warning("a deadline of %s %s is left out: %s", run.dag_id, run.run_id, error)
        return
    if interval is not None:
        Deadline.objects.bulk_create([_row(run, kind, name, place, alert, found + interval, now)], ignore_conflicts=True)
        notify_on_commit(SCHEDULER_TOPIC)


def deadlines_settle(run: DagRun, *, succeeded: bool, now: datetime) -> None:
    """The run ends: its deadlines that lie ahead are met, or cancelled where it failed; the others are looked at at once."""
    pending = Deadline.objects.filter(dag_run=run, state=State.PENDING)
    ended = State.MET if succeeded else State.CANCELLED
    met = [row.pk for row in pending.filter(task_id="", deadline_time__gte=now) if fixed_moment(row.alert) is not None]
    Deadline.objects.filter(pk__in=met, state=State.PENDING).update(state=ended, ended_at=now)
    if pending.filter(deadline_time__gt=now).update(deadline_time=now):
        notify_on_commit(SCHEDULER_TOPIC)
