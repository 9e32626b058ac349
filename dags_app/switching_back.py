"""Decides what taking a pause or an unpause back means: the switch as it was, where nobody has moved it since."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts.models import AuditLog
from dags_app.models import Dag
from dags_app.pausing import PAUSED, UNPAUSED, switch_of, switch_write
from dags_app.selectors import SpecUnreadableError, spec_of
from dags_app.services import dag_set_next_dagrun, last_interval
from orchestrator.database import for_update, notify_on_commit

# The pages offer it for some seconds; a slow answer still counts.
POSSIBLE_FOR = timedelta(minutes=1)


@dataclass(slots=True)
class SwitchedBack:
    """Ids of the DAGs whose switch is as it was, and of those that are left: they were switched again since."""

    paused: list[str] = field(default_factory=list)
    unpaused: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def switches_undo(request_id: str, *, actor: str, now: datetime) -> SwitchedBack:
    """Take back what a request of this person switched, inside the caller's transaction; each DAG for itself.

    Runs that a DAG made while it was on stay. Intervals that became due while it was paused are made up for: it is as if the
    switch had not been moved.
    """
    of_person = AuditLog.objects.filter(request_id=request_id, owner=actor) if request_id else AuditLog.objects.none()
    rows = of_person.filter(event__in=(PAUSED, UNPAUSED), when__gte=now - POSSIBLE_FOR)
    done = SwitchedBack()
    for row in rows.order_by("dag_id"):
        dag = for_update(Dag.objects.filter(pk=row.dag_id)).first()
        if dag is None or not _is_as_left(dag, row):
            done.left.append(str(row.dag_id))
            continue
        _switch_back(dag, row, actor)
        (done.paused if dag.is_paused else done.unpaused).append(dag.dag_id)
    notify_on_commit("scheduler")
    return done


def _is_as_left(dag: Dag, row: AuditLog) -> bool:
    later = AuditLog.objects.filter(dag_id=dag.dag_id, pk__gt=row.pk, event__in=(PAUSED, UNPAUSED))
    return dag.is_paused == (row.event == PAUSED) and not later.exists()


def _switch_back(dag: Dag, row: AuditLog, actor: str) -> None:
    before = switch_of(dag)
    if (row.after or {}).get("missed"):
        _give_back_missed(dag, row.before or {})
    is_paused = row.event == UNPAUSED
    after = switch_of(dag) | {"is_paused": is_paused}
    switch_write(dag, is_paused, actor=actor, extra={"undo_of": row.pk}, before=before, after=after)


def _give_back_missed(dag: Dag, kept: dict[str, str]) -> None:
    """Have the intervals that the unpausing left out be due again."""
    for name in ("skip_missed_until", "catch_up_until"):
        setattr(dag, name, datetime.fromisoformat(kept[name]) if name in kept else None)
    dag.save(update_fields=["skip_missed_until", "catch_up_until"])
    if dag.latest_version_id is None:
        return
    try:
        dag_set_next_dagrun(dag, spec_of(dag.latest_version_id), last_interval(dag.pk))
    except SpecUnreadableError:
        return  # nothing is planned of it before its file can be read
