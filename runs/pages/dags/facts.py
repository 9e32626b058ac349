"""Decides what a row of the list of DAGs shows beside the DAG itself, by a constant number of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from accounts.access import access_of
from accounts.roles import Role
from dags_app.models import Dag, DagFavorite
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
    is_favourite: bool
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


def attaching(user: Any) -> Callable[[Sequence[Any]], None]:
    """Return what gives each DAG of a page its ``facts``."""

    def attach(dags: Sequence[Any]) -> None:
        for dag, facts in zip(dags, facts_of(dags, user), strict=True):
            dag.facts = facts

    return attach


def facts_of(dags: Sequence[Dag], user: Any) -> list[Facts]:
    """Return what is shown of each DAG."""
    ids = [dag.pk for dag in dags]
    runs, open_runs = newest_runs(ids), _open(ids)
    failures = failures_of([found[-1] for found in runs.values() if found])
    marked = set(DagFavorite.objects.filter(user_name=user.get_username(), dag_id__in=ids).values_list("dag_id", flat=True))
    mine = acting_on(ids, user)

    def of(dag: Dag) -> Facts:
        own = runs[dag.pk]
        return Facts(
            runs=own,
            bars=bars(own, SHOWN_RUNS),
            running=open_runs[dag.pk, "running"],
            queued=open_runs[dag.pk, "queued"],
            failure=failures.get(own[-1].pk) if own else None,
            is_favourite=dag.pk in marked,
            may_act=dag.pk in mine,
            usual=usual(of_successes(own)),
            owners=[name.strip() for name in dag.owners.split(",") if name.strip()],
        )

    return [of(dag) for dag in dags]


def _open(ids: Sequence[str]) -> Counter[tuple[str, str]]:
    rows = DagRun.objects.unfinished().filter(dag_id__in=ids).order_by().values_list("dag_id", "state")
    return Counter({(dag_id, state): number for dag_id, state, number in rows.annotate(number=Count("pk"))})


def acting_on(ids: Sequence[str], user: Any) -> set[str]:
    """Return the DAGs on which somebody may act; without rules no query is needed."""
    access = access_of(user)
    scope = access.scope(Role.USER)
    if scope is not None:
        return set(Dag.objects.filter(scope.dags, pk__in=ids).values_list("pk", flat=True))
    return set(ids) if access.role is not None and access.role >= Role.USER else set()
