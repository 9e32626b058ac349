"""Decides what needs a person now: DAGs that fail, questions, missed deadlines, files with errors, parts that stand still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from dags_app.models import Bundle, ParseImportError
from dags_app.selectors import bundles_unreadable, import_errors
from orchestrator.processes.health import PartHealth
from runs.hitl.selectors import questions
from runs.models import DagRun, Deadline, HITLDetail
from runs.pages.dags.failures import Failure, failures_of
from runs.pages.dags.spark import Bar, bars
from runs.pages.home.numbers import missed_deadlines

MOST = 4
FAILING_RUNS = 7
_START = {
    "scheduler": "Start it: manage.py scheduler. Without it nothing begins.",
    "dag_processor": "Start it: manage.py dag_processor. Without it no change of a DAG file is seen.",
    "triggerer": "Start it: manage.py triggerer. Without it no deferred task goes on.",
}


@dataclass(frozen=True, slots=True)
class Failing:
    """A DAG whose newest run failed; ``in_a_row`` counts the failures since the last success, of the runs that are drawn."""

    dag: Any
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


def needs(
    now: datetime, health: Sequence[PartHealth], failing: list[Failing], failing_total: int, numbers: Mapping[str, int]
) -> Needs:
    """Collect it; what there is nothing of, by the numbers, is not asked for.

    Args:
        now: this instant.
        health: of the parts of the platform.
        failing: the DAGs that fail, as many as are shown.
        failing_total: how many DAGs fail.
        numbers: see ``numbers_of``.
    """
    return Needs(
        failing=failing,
        failing_total=failing_total,
        questions=open_questions() if numbers["questions"] else [],
        missed=list(missed_deadlines(now)[:MOST]) if numbers["missed"] else [],
        errors=list(import_errors()[:MOST]) if numbers["errors"] else [],
        error_total=numbers["errors"],
        bundles=list(bundles_unreadable()[:MOST]) if numbers["bundles"] else [],
        stopped=[(part, _START[part.kind]) for part in health if _is_missed(part)],
    )


def _is_missed(part: PartHealth) -> bool:
    """A triggerer that was never started is no fault: not everybody needs one."""
    return not part.is_healthy and (part.process is not None or part.kind != "triggerer")


def failing_dags(dags: Sequence[Any], newest: Mapping[str, list[DagRun]]) -> list[Failing]:
    """Return how the DAGs fail, given the newest runs of each; one query for all."""
    runs = {dag.pk: newest[dag.pk][-FAILING_RUNS:] for dag in dags if newest[dag.pk]}
    failures = failures_of([own[-1] for own in runs.values()])
    # What has changed since the DAGs were chosen fails no more.
    return [_of(dag, runs[dag.pk], failures) for dag in dags if dag.pk in runs and runs[dag.pk][-1].pk in failures]


def _of(dag: Any, runs: list[DagRun], failures: dict[int, Failure]) -> Failing:
    in_a_row = next((number for number, run in enumerate(reversed(runs)) if run.state != "failed"), len(runs))
    return Failing(dag, failures[runs[-1].pk], bars(runs, FAILING_RUNS), in_a_row, dag.may_act)


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
