"""Decides what taking a pause or an unpause back means: the switch as it was, where nobody has moved it since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max

from accounts.models import AuditLog
from dags_app.models import Dag
from dags_app.pausing import PAUSED, UNPAUSED, switch_of, switch_write
from dags_app.selectors import SpecUnreadableError, spec_of
from dags_app.services import dag_set_next_dagrun, last_interval
from orchestrator.database import for_update, notify_on_commit

# The pages offer it for some seconds; a slow answer still counts.
POSSIBLE_FOR = timedelta(minutes=1)
# The pages offer it for no more DAGs: all go in one transaction, for which others wait.
MOST_UNDONE = 100
_SWITCHES = (PAUSED, UNPAUSED)


@dataclass(slots=True)
class SwitchedBack:
    """Ids of the DAGs whose switch is as it was, and of those that are left as they are.

    ``left``: switched again since; ``gone``: deleted, or hidden from the person by now; ``left_out``: as it was, but the
    intervals that the unpause left out are not due again.
    """

    paused: list[str] = field(default_factory=list)
    unpaused: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        """True where no switch was found that the person moved a moment ago."""
        return not (self.paused or self.unpaused or self.left or self.gone)


def switches_undo(request_id: str, *, actor: str, now: datetime) -> SwitchedBack:
    """Take back what a request of this person switched, inside the caller's transaction; each DAG for itself.

    Runs that a DAG made while it was on stay. Intervals that the unpause left out are due again, it is as if the switch had
    not been moved; but not where a run after them was made meanwhile, since runs are made in the order of time.
    """
    of_person = AuditLog.objects.filter(request_id=request_id, owner=actor) if request_id else AuditLog.objects.none()
    rows = list(of_person.filter(event__in=_SWITCHES, when__gte=now - POSSIBLE_FOR).order_by("dag_id"))
    switched = for_update(Dag.objects.filter(pk__in=[row.dag_id for row in rows]).order_by("pk"))
    dags: dict[str | None, Dag] = {dag.pk: dag for dag in switched}
    newest, done = _newest_moves(rows), SwitchedBack()
    for row in rows:
        dag = dags.get(row.dag_id)
        if dag is None:
            done.gone.append(str(row.dag_id))
        elif newest[row.dag_id] != row.pk or dag.is_paused != (row.event == PAUSED):
            done.left.append(dag.dag_id)
        else:
            _switch_back(dag, row, actor, done)
    notify_on_commit("scheduler")
    return done


def _newest_moves(rows: Sequence[AuditLog]) -> dict[str | None, int]:
    """Return the newest row of each DAG that tells of its switch."""
    moves = AuditLog.objects.filter(dag_id__in=[row.dag_id for row in rows], event__in=_SWITCHES)
    since = moves.filter(pk__gte=min((row.pk for row in rows), default=0)).order_by()
    return dict(since.values_list("dag_id").annotate(newest=Max("pk")))


def _switch_back(dag: Dag, row: AuditLog, actor: str, done: SwitchedBack) -> None:
    before = switch_of(dag)
    if (row.after or {}).get("missed"):
        if _has_run_since(dag, row):
            done.left_out.append(dag.dag_id)
        else:
            _give_back_missed(dag, row.before or {})
    is_paused = row.event == UNPAUSED
    after = switch_of(dag) | {"is_paused": is_paused}
    switch_write(dag, is_paused, actor=actor, extra={"undo_of": row.pk}, before=before, after=after)
    (done.paused if is_paused else done.unpaused).append(dag.dag_id)


def _has_run_since(dag: Dag, row: AuditLog) -> bool:
    """Return whether intervals were left out and a run after them was made: whatever is due comes after that run."""
    if not (row.after or {}).get("skipped_intervals") or dag.skip_missed_until is None:
        return False
    last = last_interval(dag.pk)
    return last is not None and last.end > dag.skip_missed_until


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
