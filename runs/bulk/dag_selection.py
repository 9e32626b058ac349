"""Decides which DAGs an order means, and what it would find: those that are on, paused, or cannot run."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import QuerySet

from dags_app.models import Dag
from runs.bulk.found import Foreseen, RunItems
from runs.bulk.kinds import Target
from runs.bulk.requests import narrowed

# A trigger writes a run with its task instances and its rows elsewhere: about ten times what a clear of one task does.
_WEIGHT = 10


def rows(order: Any) -> QuerySet[Dag]:
    """Return the DAGs, by id. Raises ``RestError`` as the filters do."""
    if "items" in order.selection:
        return Dag.objects.filter(pk__in={item["dag_id"] for item in order.selection["items"]}).order_by("dag_id")
    return narrowed(Target.DAGS, order.selection["filters"]).order_by("dag_id")


def chosen(order: Any) -> list[RunItems]:
    """Return all of them at once: there are thousands of DAGs where there are millions of runs."""
    return [RunItems(0, dag_id, "", "", weight=_WEIGHT) for dag_id in rows(order).values_list("dag_id", flat=True)]


def foreseen(order: Any) -> Foreseen:
    """Count the DAGs by what they are: ``on``, ``paused``, or ``without a version``, of which nothing can run."""
    found = rows(order).values_list("is_paused", "latest_version_id")
    words = Counter("without a version" if version is None else "paused" if paused else "on" for paused, version in found)
    return Foreseen(dict(words), runs=words["on"] + words["paused"])


def missing(order: Any) -> list[str]:
    """Return the named DAGs that do not exist."""
    there = set(rows(order).values_list("dag_id", flat=True))
    return [item["dag_id"] for item in order.selection["items"] if item["dag_id"] not in there]
