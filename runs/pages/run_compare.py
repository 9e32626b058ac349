"""Decides what differs between two runs of a DAG: how long their tasks took, their states and tries, their configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min
from django.urls import reverse

from accounts.services import masked
from orchestrator.templatetags.shown import NOTHING
from runs.models import DagRun, TaskInstance
from runs.pages.rows import goes_on, span_of
from runs.pages.run.given_params import conf_of
from runs.pages.worst import known, state_of, worst
from runs.states import DagRunState

CHOICES = 60
_UNSEEN = ("wait_detail", "scheduling_error", "created_dag_version__document")


@dataclass(frozen=True, slots=True)
class Side:
    """A task in one of the runs; None in all where the run does not have it."""

    state: str | None
    is_there: bool
    tries: int
    seconds: float | None
    total: int
    url: str
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class TaskPair:
    """A task in both runs.

    ``delta``: how much longer it took in the first, where it is over in both; ``share``: of the largest difference, per cent.
    """

    task_id: str
    one: Side
    other: Side
    delta: float | None
    share: int

    @property
    def is_slower(self) -> bool:
        """True where it took longer in the first run."""
        return self.delta is not None and self.delta > 0

    @property
    def faster(self) -> float:
        """How much shorter it took in the first run."""
        return abs(self.delta or 0.0)


@dataclass(frozen=True, slots=True)
class ConfPair:
    """A key of the configuration in both runs, and whether the values are the same."""

    key: str
    one: str
    other: str
    is_same: bool


@dataclass(slots=True)
class _Sum:
    counts: Counter[str]
    start: datetime | None = None
    end: datetime | None = None
    tries: int = 0
    index: int = -1


def choices(dag_id: str) -> list[DagRun]:
    """Return the runs that one may choose from, newest first."""
    rows = DagRun.objects.filter(dag_id=dag_id).only("id", "dag_id", "run_id", "state", "run_type", "logical_date", "run_after")
    return list(rows.order_by("-run_after", "-id")[:CHOICES])


def run_of(dag_id: str, run_id: str) -> DagRun | None:
    """Return a run with its version; None where there is none."""
    rows = DagRun.objects.filter(dag_id=dag_id, run_id=run_id).select_related("created_dag_version__code")
    return rows.defer(*_UNSEEN).first() if run_id else None


def newest(dag_id: str) -> DagRun | None:
    """Return the newest run."""
    return _first(dag_id)


def last_success_before(run: DagRun) -> DagRun | None:
    """Return the newest run before one that succeeded, else the newest that did."""
    earlier = _first(run.dag_id, state=DagRunState.SUCCESS, run_after__lt=run.run_after)
    return earlier or _first(run.dag_id, state=DagRunState.SUCCESS)


def _first(dag_id: str, **wanted: Any) -> DagRun | None:
    rows = DagRun.objects.filter(dag_id=dag_id, **wanted).select_related("created_dag_version__code")
    return rows.defer(*_UNSEEN).order_by("-run_after", "-id").first()


def task_pairs(one: DagRun, other: DagRun) -> list[TaskPair]:
    """Return all tasks of both runs, those first that made the difference; one query."""
    sums = _sums(one, other)
    names = {task for _, task in sums}
    pairs = [(name, _side(one, name, sums), _side(other, name, sums)) for name in names]
    over = [pair for pair in pairs if not (pair[1].goes_on or pair[2].goes_on)]
    deltas = {name: a.seconds - b.seconds for name, a, b in over if a.seconds is not None and b.seconds is not None}
    largest = max((abs(delta) for delta in deltas.values()), default=0.0) or 1.0
    made = [TaskPair(name, a, b, deltas.get(name), round(100 * abs(deltas.get(name, 0.0)) / largest)) for name, a, b in pairs]
    return sorted(made, key=lambda pair: (pair.one.state == pair.other.state, -abs(pair.delta or 0.0), pair.task_id))


def _sums(one: DagRun, other: DagRun) -> dict[tuple[int, str], _Sum]:
    rows: Any = TaskInstance.objects.filter(dag_run_id__in=[one.pk, other.pk]).order_by()
    measures = {
        **{"number": Count("id"), "first": Min("start_date"), "last": Max("end_date")},
        **{"tries": Max("try_number"), "index": Max("map_index")},
    }
    found: dict[tuple[int, str], _Sum] = {}
    grouped = rows.values_list("dag_run_id", "task_id", "state").annotate(**measures)
    for run, task, state, number, first, last, tries, index in grouped:
        total = found.setdefault((run, task), _Sum(Counter()))
        total.counts[known(state)] += number
        total.start = min(filter(None, (total.start, first)), default=None)
        total.end = max(filter(None, (total.end, last)), default=None)
        total.tries, total.index = max(total.tries, tries), max(total.index, index)
    return found


def _side(run: DagRun, task_id: str, sums: Mapping[tuple[int, str], _Sum]) -> Side:
    total = sums.get((run.pk, task_id))
    if total is None:
        return Side(None, False, 0, None, 0, "")
    state = state_of(worst(total.counts))
    _, seconds = span_of(run, total.counts, total.start, total.end)
    url = reverse("log_detail" if total.index < 0 else "ti_mapped", args=[run.dag_id, run.run_id, task_id])
    is_open = goes_on(run, total.counts)
    return Side(state, True, total.tries, seconds, total.counts.total(), url, is_open)


def conf_pairs(one: DagRun, other: DagRun) -> list[ConfPair]:
    """Return the keys of both configurations, those that differ first; a secret is not shown, but whether it differs is."""
    a, b = conf_of(one), conf_of(other)
    one_shown, other_shown = masked(a), masked(b)
    pairs = [ConfPair(str(key), _text(one_shown, key), _text(other_shown, key), _is_same(a, b, key)) for key in {**a, **b}]
    return sorted(pairs, key=lambda pair: (pair.is_same, pair.key))


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    return key in one and key in other and bool(one[key] == other[key])


def _text(conf: Mapping[str, Any], key: str) -> str:
    return str(conf[key])[:300] if key in conf else NOTHING
