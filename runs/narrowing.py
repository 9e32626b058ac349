"""Decides how lists of millions of rows are narrowed by patterns of names: the DAGs or runs meant are looked up first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet

from dags_app.models import Dag
from orchestrator.rest import patterns
from orchestrator.rest.params import Param
from runs.models import DagRun

# So many runs are named by their keys; more are common enough to be found by going through the rows.
MOST_RUNS = 1000
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
