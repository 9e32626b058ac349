"""Decides what is shown of what runs now, how far it is and when it should be done, and of what waits and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min

from runs.explain.run import explain_run
from runs.models import DagRun, TaskInstance
from runs.pages.dags.newest import newest_runs
from runs.pages.meters import Part, parts_of
from runs.pages.rows import elapsed
from runs.pages.usual import of_successes, usual
from runs.states import DagRunState, TaskInstanceState

MOST_RUNNING = 10
MOST_WAITING = 3
COUNT_CAP = 1000
_FAMILIES = {
    **dict.fromkeys(("success", "skipped", "removed"), "ok"),
    **dict.fromkeys(("failed", "upstream_failed"), "failed"),
    **dict.fromkeys(("running", "restarting"), "running"),
    **dict.fromkeys(("deferred", "up_for_reschedule"), "deferred"),
    **{"up_for_retry": "retry", "awaiting_input": "input"},
}
_ORDER = ("ok", "failed", "running", "retry", "deferred", "input", "waiting")
_WORDS = {"ok": "done", "retry": "to be retried", "input": "asking", "waiting": "waiting"}


@dataclass(frozen=True, slots=True)
class Progress:
    """A run with its tasks by state, and when it should be over."""

    run: DagRun
    parts: list[Part]
    done: int
    total: int
    eta: datetime | None
    is_late: bool
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued run and the sentence that says why."""

    run: DagRun
    sentence: str
    since: datetime | None
    eta: datetime | None


@dataclass(frozen=True, slots=True)
class Now:
    """What runs and what waits; totals count on up to a cap."""

    running: list[Progress]
    running_total: int
    waiting: list[Waiting]
    waiting_total: int
    ready: list[tuple[str, int, datetime | None]]


def what_runs(now: datetime) -> Now:
    """Return it, by a bounded number of queries."""
    running = DagRun.objects.running().defer("conf", "wait_detail", "note")
    shown = list(running.order_by("start_date", "id")[:MOST_RUNNING])
    queued = DagRun.objects.filter(state=DagRunState.QUEUED)
    waiting = list(queued.select_related("backfill").order_by("run_after", "id")[:MOST_WAITING])
    return Now(
        running=_progress(shown, now),
        running_total=running.values("pk")[:COUNT_CAP].count() if len(shown) == MOST_RUNNING else len(shown),
        waiting=[_why(run) for run in waiting],
        waiting_total=queued.values("pk")[:COUNT_CAP].count() if len(waiting) == MOST_WAITING else len(waiting),
        ready=_ready(),
    )


def _progress(runs: Sequence[DagRun], now: datetime) -> list[Progress]:
    if not runs:
        return []
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    rows = TaskInstance.objects.filter(dag_run__in=runs).order_by().values_list("dag_run_id", "state")
    for run_id, state, number in rows.annotate(number=Count("pk")):
        counts[run_id][_FAMILIES.get(state or "", "waiting")] += number
    known = {dag_id: usual(of_successes(newest)) for dag_id, newest in newest_runs({run.dag_id for run in runs}).items()}
    return [_of(run, counts[run.pk], known.get(run.dag_id), now) for run in runs]


def _of(run: DagRun, counts: Counter[str], usual: float | None, now: datetime) -> Progress:
    eta = run.start_date + timedelta(seconds=usual) if run.start_date and usual is not None else None
    total = sum(counts.values())
    return Progress(
        run,
        parts_of(((family, _WORDS.get(family, family), counts[family]) for family in _ORDER), total),
        counts["ok"] + counts["failed"],
        total,
        eta,
        eta is not None and eta < now,
        elapsed(run.start_date, None),
    )


def _why(run: DagRun) -> Waiting:
    first = explain_run(run)[0]
    return Waiting(run, first.sentence, first.since or run.queued_at, first.eta)


def _ready() -> list[tuple[str, int, datetime | None]]:
    """Return how many task instances are ready and wait, by the stored reason, and since when."""
    rows = TaskInstance.objects.filter(state=TaskInstanceState.SCHEDULED).order_by().values_list("wait_reason")
    grouped = rows.annotate(number=Count("pk"), since=Min("scheduled_dttm"))
    return sorted(((reason or "about to be handed over", n, since) for reason, n, since in grouped), key=lambda row: -row[1])[
        :MOST_WAITING
    ]
