"""Decides what is told of a task or a group over the runs of its DAG: its state, tries and duration in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef
from django.urls import reverse

from orchestrator.templatetags.shown import run_title
from runs.cause_words import cause_words
from runs.fingerprints import first_line
from runs.models import DagRun, TaskInstance, TaskInstanceHistory
from runs.pages.charts import Chart, Span, chart_of
from runs.pages.rows import elapsed, span_of
from runs.pages.worst import known, rank, state_of, worst

_OF_RUN = ("id", "dag_id", "run_id", "state", "run_type", "logical_date", "run_after", "start_date", "end_date")

# So many failures are read for their words.
MOST_SAID = 1000


@dataclass(frozen=True, slots=True)
class InRun:
    """A task or a group in one run; ``counts`` by state, worst first; ``seconds`` from the first start to the last end."""

    run: DagRun
    state: str | None
    counts: list[tuple[str | None, int]]
    total: int
    is_mapped: bool
    tries: int
    start: datetime | None
    end: datetime | None
    seconds: float | None
    waited: float
    error: str
    url: str


@dataclass(slots=True)
class _Sum:
    counts: Counter[str]
    start: datetime | None = None
    end: datetime | None = None
    queued: datetime | None = None
    tries: int = 0
    index: int = -1


def newest_runs(dag_id: str, number: int) -> list[DagRun]:
    """Return the newest runs of a DAG, newest first."""
    return list(DagRun.objects.filter(dag_id=dag_id).only(*_OF_RUN).order_by("-run_after", "-id")[:number])


def history_of(dag_id: str, name: str, tasks: Sequence[str], runs: Sequence[DagRun], is_group: bool = False) -> list[InRun]:
    """Return a task, or the tasks of a group, in each of the runs that has it, in their order; two queries."""
    sums = _sums(tasks, [run.pk for run in runs])
    errors = _errors(tasks, [run.pk for run in runs if run.pk in sums])
    return [_in_run(dag_id, name, run, sums[run.pk], errors.get(run.pk, ""), is_group) for run in runs if run.pk in sums]


def _sums(tasks: Sequence[str], run_ids: Sequence[int]) -> dict[int, _Sum]:
    if not run_ids:
        return {}
    rows: Any = TaskInstance.objects.filter(dag_run_id__in=run_ids, task_id__in=tasks).order_by()
    measures = {
        **{"number": Count("id"), "first": Min("start_date"), "last": Max("end_date"), "queued": Min("queued_dttm")},
        **{"tries": Max("try_number"), "index": Max("map_index")},
    }
    found: dict[int, _Sum] = {}
    for run, state, number, first, last, queued, tries, index in rows.values_list("dag_run_id", "state").annotate(**measures):
        total = found.setdefault(run, _Sum(Counter()))
        total.counts[known(state)] += number
        total.start, total.queued = _least(total.start, first), _least(total.queued, queued)
        total.end = max(filter(None, (total.end, last)), default=None)
        total.tries, total.index = max(total.tries, tries), max(total.index, index)
    return found


def _least(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)


def _errors(tasks: Sequence[str], run_ids: Sequence[int]) -> dict[int, str]:
    """Return what a failed instance of each run says; of one that is tried again what its last try said."""
    rows: Any = TaskInstance.objects.filter(dag_run_id__in=run_ids, task_id__in=tasks)
    waits = rows.filter(state="up_for_retry")
    same = {name: OuterRef(name) for name in ("dag_run_id", "task_id", "map_index", "try_number")}
    past: Any = TaskInstanceHistory.objects.filter(dag_run_id__in=waits.values("dag_run_id"), task_id__in=tasks)
    said = [
        *_said(past.filter(Exists(waits.filter(**same))).order_by("-pk"))[::-1],
        *_said(rows.filter(state="failed").order_by("-map_index")),
    ]
    return {run: first_line(detail) or cause_words(cause) for run, cause, detail in said}


def _said(rows: Any) -> list[Any]:
    return list(rows.values_list("dag_run_id", "cause", "cause_detail")[:MOST_SAID])


def _in_run(dag_id: str, name: str, run: DagRun, total: _Sum, error: str, is_group: bool) -> InRun:
    number = sum(total.counts.values())
    end, seconds = span_of(run, total.counts, total.start, total.end)
    is_mapped = total.index >= 0
    route = "run_group" if is_group else "ti_mapped" if is_mapped else "log_detail"
    waited = elapsed(total.queued, total.start) if total.queued and total.start else None
    return InRun(
        run=run,
        state=state_of(worst(total.counts)),
        counts=[(state_of(word), total.counts[word]) for word in sorted(total.counts, key=rank)],
        total=number,
        is_mapped=is_mapped,
        tries=total.tries,
        start=total.start,
        end=end,
        seconds=seconds,
        waited=max(0.0, waited or 0.0),
        error=error,
        url=reverse(route, args=[dag_id, run.run_id, name]),
    )


def chart_over_runs(rows: Iterable[InRun]) -> Chart:
    """Return the durations as bars, oldest left; rows come newest first."""
    spans = [Span(row.seconds, row.waited, row.state, run_title(row.run), row.url) for row in rows if row.seconds is not None]
    return chart_of(spans[::-1], with_waiting=True)
