"""Decides what is shown of what runs now, how far it is and when it should be done, and of what waits and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q

from runs.explain.platform import Platform
from runs.explain.run import first_reasons
from runs.models import DagRun, TaskInstance
from runs.pages.dags.newest import reach
from runs.pages.meters import Part, parts_of
from runs.pages.rows import elapsed
from runs.pages.usual import of_successes, usual
from runs.states import DagRunState, TaskInstanceState

MOST_RUNNING = 10
MOST_WAITING = 3
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


@dataclass(frozen=True, slots=True)
class OpenRuns:
    """The runs that are shown: ``running`` ones carry ``runs_since``, see ``reach``."""

    running: Sequence[Any] = ()
    queued: Sequence[DagRun] = ()


def open_runs() -> OpenRuns:
    """Return the oldest of the runs that run and of those that wait, by one query for both."""
    running = DagRun.objects.running().order_by("start_date", "id").values("pk")[:MOST_RUNNING]
    queued = DagRun.objects.filter(state=DagRunState.QUEUED).order_by("run_after", "id").values("pk")[:MOST_WAITING]
    shown = DagRun.objects.unfinished().filter(Q(pk__in=running) | Q(pk__in=queued)).select_related("backfill")
    runs = list(
        shown.annotate(runs_since=reach("dag_id"))
        .defer("conf", "wait_detail", "note")
        .order_by("id")[: MOST_RUNNING + MOST_WAITING]
    )
    return OpenRuns(
        sorted((run for run in runs if run.state == DagRunState.RUNNING), key=_began),
        sorted((run for run in runs if run.state == DagRunState.QUEUED), key=lambda run: run.run_after),
    )


def what_runs(runs: OpenRuns, newest: Mapping[str, list[DagRun]], parts: Platform, numbers: Mapping[str, int]) -> Now:
    """Return how far the running ones are and why the others wait.

    Args:
        runs: the ones that are shown.
        newest: the newest runs of their DAGs.
        parts: the processes of the platform, for the reasons.
        numbers: see ``numbers_of``.
    """
    return Now(
        running=_progress(runs.running, newest, parts.now),
        running_total=numbers["running"],
        waiting=_waiting(runs.queued, parts),
        waiting_total=numbers["queued"],
        ready=_ready() if numbers["scheduled"] else [],
    )


def _progress(runs: Sequence[DagRun], newest: Mapping[str, list[DagRun]], now: datetime) -> list[Progress]:
    if not runs:
        return []
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    rows = TaskInstance.objects.filter(dag_run__in=[run.pk for run in runs]).order_by().values_list("dag_run_id", "state")
    for run_id, state, number in rows.annotate(number=Count("pk")):
        counts[run_id][_FAMILIES.get(state or "", "waiting")] += number
    known = {run.dag_id: usual(of_successes(newest[run.dag_id])) for run in runs}
    return [_of(run, counts[run.pk], known[run.dag_id], now) for run in runs]


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


def _waiting(runs: Sequence[DagRun], parts: Platform) -> list[Waiting]:
    reasons = zip(runs, first_reasons(runs, parts), strict=True)
    return [Waiting(run, first.sentence, first.since or run.queued_at, first.eta) for run, first in reasons]


def _began(run: DagRun) -> datetime:
    return run.start_date or run.run_after


def _ready() -> list[tuple[str, int, datetime | None]]:
    """Return how many task instances are ready and wait, by the stored reason, and since when."""
    rows = TaskInstance.objects.filter(state=TaskInstanceState.SCHEDULED).order_by().values_list("wait_reason")
    grouped = rows.annotate(number=Count("pk"), since=Min("scheduled_dttm"))
    return sorted(((reason or "about to be handed over", n, since) for reason, n, since in grouped), key=lambda row: -row[1])[
        :MOST_WAITING
    ]
