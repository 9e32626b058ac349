"""Decides which word stands on a queued run for why it has not begun (C26-a); the details are worked out when somebody asks."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Result
from runs.explain.reasons import Reason
from runs.models import DagRun
from runs.states import DagRunState

EVERY_SECONDS = 5.0


class NameRunWaits:
    """Writes a word where it changes, seconds late, so that beginning a run costs nothing more; one query where none does."""

    name = "name_run_waits"
    periodic = True

    def run_once(self, limit: int) -> Result:
        """Name at most a thousand runs; what a person holds says so already."""
        if not DagRun.objects.filter(state=DagRunState.QUEUED).exists():
            return Result(next_in=EVERY_SECONDS)
        now = utcnow()
        groups: dict[str, list[int]] = defaultdict(list)
        for pk, why in _changed(now):
            groups[why].append(pk)
        done = 0
        for why, ids in groups.items():
            still = DagRun.objects.filter(pk__in=ids, state=DagRunState.QUEUED).exclude(wait_reason=Reason.HELD)
            done += still.update(wait_reason=why, wait_detail=None, wait_since=now)
        return Result(done=done, next_in=EVERY_SECONDS)


def _changed(now: datetime) -> list[tuple[int, str]]:
    """Return the queued runs whose reason is another one than they say, with it as ``why``; the first that applies."""
    why = Case(
        When(run_after__gt=now, then=Value(str(Reason.RUN_AFTER))),
        When(dag__is_stale=True, then=Value(str(Reason.DAG_STALE))),
        When(dag__is_paused=True, then=Value(str(Reason.DAG_PAUSED))),
        When(scheduling_retry_at__gt=now, then=Value(str(Reason.SET_ASIDE))),
        When(backfill__is_paused=True, then=Value(str(Reason.BACKFILL_PAUSED))),
        When(backfill__max_active_runs__lte=_running("backfill_id"), then=Value(str(Reason.BACKFILL_LIMIT))),
        When(Q(backfill=None) & Q(dag__max_active_runs__lte=_running("dag_id")), then=Value(str(Reason.RUN_LIMIT))),
        When(~Q(dag__overlap_policy="allow"), run_type="scheduled", backfill=None, then=Value(str(Reason.OVERLAP))),
        default=Value(str(Reason.ABOUT_TO_START)),
    )
    queued = DagRun.objects.filter(state=DagRunState.QUEUED).exclude(wait_reason=Reason.HELD)
    return list(queued.annotate(why=why).exclude(wait_reason=F("why")).order_by("pk").values_list("pk", "why")[:1000])


def _running(column: str) -> Coalesce:
    """Return how many runs of the same backfill, or of the same DAG outside of backfills, are running."""
    runs = DagRun.objects.filter(state=DagRunState.RUNNING, **{column: OuterRef(column)}).order_by()
    runs = runs.filter(backfill=None) if column == "dag_id" else runs
    return Coalesce(Subquery(runs.values(column).annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)
