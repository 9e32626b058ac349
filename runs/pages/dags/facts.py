"""Decides what a row of the list of DAGs shows beside the DAG itself, by two queries for all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from runs.models import DagRun
from runs.pages.dags.failures import Failure, failures_of
from runs.pages.dags.newest import SHOWN_RUNS, newest_runs
from runs.pages.dags.spark import Bar, bars
from runs.pages.rows import elapsed
from runs.pages.usual import deviation, of_successes, usual


@dataclass(frozen=True, slots=True)
class Facts:
    """What is shown of a DAG."""

    runs: list[DagRun]
    bars: list[Bar]
    running: int
    queued: int
    failure: Failure | None
    is_favorite: bool
    may_act: bool
    usual: float | None = None
    owners: list[str] = field(default_factory=list)

    @property
    def last(self) -> DagRun | None:
        """The newest run."""
        return self.runs[-1] if self.runs else None

    @property
    def seconds(self) -> float | None:
        """How long the newest run took, or takes."""
        return elapsed(self.last.start_date, self.last.end_date) if self.last else None

    @property
    def deviation(self) -> str:
        """How much longer or shorter than usual it took."""
        return deviation(self.last.duration, self.usual) if self.last else ""


def attach_facts(dags: Sequence[Any]) -> None:
    """Give each DAG of a page its ``facts``; the DAGs come from ``with_row_facts``."""
    for dag, facts in zip(dags, facts_of(dags), strict=True):
        dag.facts = facts


def facts_of(dags: Sequence[Any]) -> list[Facts]:
    """Return what is shown of each DAG; the DAGs come from ``with_row_facts``."""
    runs = newest_runs({dag.pk: dag.runs_since for dag in dags})
    failures = failures_of([found[-1] for found in runs.values() if found])
    return [_of(dag, runs[dag.pk], failures) for dag in dags]


def _of(dag: Any, runs: list[DagRun], failures: dict[int, Failure]) -> Facts:
    return Facts(
        runs=runs,
        bars=bars(runs, SHOWN_RUNS),
        running=dag.running,
        queued=dag.queued,
        failure=failures.get(runs[-1].pk) if runs else None,
        is_favorite=dag.is_favorite,
        may_act=dag.may_act,
        usual=usual(of_successes(runs)),
        owners=[name.strip() for name in dag.owners.split(",") if name.strip()],
    )
