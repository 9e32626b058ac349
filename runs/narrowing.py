"""Decides how lists of millions of rows are narrowed by names and times of runs: the DAGs or runs meant are looked up first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Max, Min, Q, QuerySet

from dags_app.models import Dag
from orchestrator.rest import patterns
from orchestrator.rest.params import Param
from runs.models import DagRun

# So many runs are named by their keys; more are common enough to be found by going through the rows.
MOST_RUNS = 1000
TIMES_OF_RUN = ("run_after", "logical_date")
_BOUNDS = ("gte", "gt", "lte", "lt")
Build = Callable[[str, str], Q]
_KINDS: tuple[tuple[str, Build], ...] = (("pattern", patterns.contains), ("prefix_pattern", patterns.starts_with))


def by_dag(name: str, column: str) -> list[Param]:
    """``<name>_pattern`` and ``<name>_prefix_pattern`` on a column of the DAG, for rows with a ``dag_id``."""
    return [Param(f"{name}_{kind}", apply=_of_dags(column, build)) for kind, build in _KINDS]


def by_run() -> list[Param]:
    """``run_id_pattern`` and ``run_id_prefix_pattern``, for rows with a ``dag_run``."""
    return [Param(f"run_id_{kind}", apply=_of_runs(build)) for kind, build in _KINDS]


def _of_dags(column: str, build: Build) -> Callable[[QuerySet[Any], str], QuerySet[Any]]:
    def apply(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(dag_id__in=list(Dag.objects.filter(build(column, value)).values_list("pk", flat=True)))

    return apply


def _of_runs(build: Build) -> Callable[[QuerySet[Any], str], QuerySet[Any]]:
    def apply(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        found = list(DagRun.objects.filter(build("run_id", value)).order_by().values_list("pk", flat=True)[: MOST_RUNS + 1])
        return rows.filter(dag_run_id__in=found) if len(found) <= MOST_RUNS else rows.filter(build("run_id", value))

    return apply


def near_runs(rows: QuerySet[Any], values: Mapping[str, Any], dag_id: str | None = None) -> QuerySet[Any]:
    """Keep rows with a ``dag_run`` whose run is one of those that filters of times mean, or has a key between theirs.

    Call it beside the filters themselves, which decide: in the order of its index a list would go through all rows that lie
    before the first one meant, and look at the run of each. What is ordered by a time of few runs is found from there.

    Args:
        values: of the filters by name, such as ``run_after_gte``, and of ``order_by``.
        dag_id: of the rows, where they are those of one DAG.
    """
    times = {f"{name}__{bound}": values.get(f"{name}_{bound}") for name in TIMES_OF_RUN for bound in _BOUNDS}
    asked = {lookup: value for lookup, value in times.items() if value is not None}
    if not asked:
        return rows
    runs = DagRun.objects.filter(**asked, **({"dag_id": dag_id} if dag_id else {})).order_by()
    found = list(runs.values_list("pk", flat=True)[: MOST_RUNS + 1])
    if len(found) <= MOST_RUNS:
        is_ordered = any(name.lstrip("-") in TIMES_OF_RUN for name in values.get("order_by") or ())
        return rows if is_ordered else rows.filter(dag_run_id__in=found)
    ends = runs.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:  # there is none, or none any more
        return rows.none()
    return rows.filter(dag_run_id__gte=ends["first"], dag_run_id__lte=ends["last"])
