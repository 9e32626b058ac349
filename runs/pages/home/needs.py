"""Decides what needs a person now: DAGs that fail, questions, missed deadlines, files with errors, parts that stand still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse

from dags_app.models import Bundle, Dag, ParseImportError
from dags_app.selectors import bundles_unreadable, import_errors
from orchestrator.processes.health import PartHealth
from runs.deadlines.selectors import deadlines
from runs.hitl.selectors import questions
from runs.models import DagRun, Deadline, HITLDetail
from runs.pages.dags.failures import Failure, failures_of
from runs.pages.dags.newest import newest_runs
from runs.pages.dags.spark import Bar, bars

MOST_FAILING = 8
MOST = 4
FAILING_RUNS = 7
RECENT_HOURS = 24
_START = {
    "scheduler": "Start it: manage.py scheduler. Without it nothing begins.",
    "dag_processor": "Start it: manage.py dag_processor. Without it no change of a DAG file is seen.",
    "triggerer": "Start it: manage.py triggerer. Without it no deferred task goes on.",
}


@dataclass(frozen=True, slots=True)
class Failing:
    """A DAG whose newest run failed; ``in_a_row`` counts the failures since the last success, of the runs that are drawn."""

    dag: Dag
    failure: Failure
    bars: list[Bar]
    in_a_row: int
    may_act: bool


@dataclass(frozen=True, slots=True)
class Needs:
    """What needs a person; the totals may be larger than what is listed."""

    failing: list[Failing]
    failing_total: int
    questions: list[HITLDetail]
    missed: list[Deadline]
    errors: list[ParseImportError]
    error_total: int
    bundles: list[Bundle]
    stopped: list[tuple[PartHealth, str]]

    def __bool__(self) -> bool:
        return any((self.failing, self.questions, self.missed, self.errors, self.bundles, self.stopped))


def needs(now: datetime, health: Sequence[PartHealth], failing_total: int, error_total: int, mine: Any) -> Needs:
    """Collect it, by a constant number of queries.

    Args:
        now: this instant.
        health: of the parts of the platform.
        failing_total: how many DAGs fail; none are looked for where that is 0.
        error_total: how many files cannot be read.
        mine: gives for DAG ids those on which the person may act.
    """
    since = now - timedelta(hours=RECENT_HOURS)
    return Needs(
        failing=_failing(mine) if failing_total else [],
        failing_total=failing_total,
        questions=open_questions(),
        missed=list(deadlines(state=Deadline.State.MISSED).filter(deadline_time__gte=since)[:MOST]),
        errors=list(import_errors()[:MOST]) if error_total else [],
        error_total=error_total,
        bundles=list(bundles_unreadable()[:MOST]),
        stopped=[(part, _START[part.kind]) for part in health if _is_missed(part)],
    )


def _is_missed(part: PartHealth) -> bool:
    """A triggerer that was never started is no fault: not everybody needs one."""
    return not part.is_healthy and (part.process is not None or part.kind != "triggerer")


def _failing(mine: Any) -> list[Failing]:
    newest = DagRun.objects.filter(dag_id=OuterRef("pk")).order_by("-run_after", "-id")
    dags = Dag.objects.active().annotate(
        newest_state=Subquery(newest.values("state")[:1]), newest_due=Subquery(newest.values("run_after")[:1])
    )
    rows = list(dags.filter(newest_state="failed").order_by("is_paused", "-newest_due", "pk")[:MOST_FAILING])
    runs = newest_runs([dag.pk for dag in rows], FAILING_RUNS)
    failures = failures_of([runs[dag.pk][-1] for dag in rows if runs[dag.pk]])
    may = mine([dag.pk for dag in rows])
    return [_of(dag, runs[dag.pk], failures, dag.pk in may) for dag in rows if runs[dag.pk] and runs[dag.pk][-1].pk in failures]


def _of(dag: Dag, runs: list[DagRun], failures: dict[int, Failure], may_act: bool) -> Failing:
    in_a_row = next((number for number, run in enumerate(reversed(runs)) if run.state != "failed"), len(runs))
    return Failing(dag, failures[runs[-1].pk], bars(runs, FAILING_RUNS), in_a_row, may_act)


def open_questions() -> list[Any]:
    """Return the oldest questions that wait for an answer, each with ``page``, where it is answered."""
    rows = list(questions(None, None).filter(responded_at__isnull=True).select_related("dag_run").order_by("created_at")[:MOST])
    for row in rows:
        row.page = _page_of(row)  # type: ignore[attr-defined]
    return rows


def _page_of(row: HITLDetail) -> str:
    """Return where a question is answered; the run, where the task has no name."""
    place = [row.dag_run.dag_id, row.dag_run.run_id, row.task_id]
    if row.task_id:
        return reverse("ti_required_actions", args=[*place, *([row.map_index] if row.map_index >= 0 else [])])
    return reverse("run_detail", args=place[:2])
