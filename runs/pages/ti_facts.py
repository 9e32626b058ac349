"""Decides what of other rows the query that reads a task instance for one of its pages brings along for the head."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.expressions import Combinable

from orchestrator.facts import annotate_facts, read_facts
from orchestrator.listing import ListOf
from runs.models import DagRun, HITLDetail, Hold, TaskInstance

# The runs whose durations are compared.
RUNS = 25
OF_INDEX = ("map_index", "state", "rendered_map_index")


@dataclass(frozen=True, slots=True)
class TiFacts:
    """What is brought along.

    Attributes:
        runs: the keys of the last runs up to this one, newest first.
        first_name: what the author calls the task, which later indexes do not know themselves.
        previous: ``OF_INDEX`` of the index before, empty where there is none.
        next: of the index after.
    """

    runs: list[tuple[int]]
    is_held: bool
    has_questions: bool
    first_name: str | None
    previous: list[tuple[int, str | None, str | None]]
    next: list[tuple[int, str | None, str | None]]


def with_facts(rows: QuerySet[TaskInstance]) -> QuerySet[TaskInstance]:
    """Let a query for task instances bring the facts of each; ``facts_of`` reads them."""
    runs = DagRun.objects.filter(dag_id=OuterRef("dag_run__dag_id"), run_after__lte=OuterRef("dag_run__run_after"))
    task = {"dag_run_id": OuterRef("dag_run_id"), "task_id": OuterRef("task_id")}
    own = {**task, "map_index": OuterRef("map_index")}
    indexes = TaskInstance.objects.filter(**task, map_index__gte=0)
    first = TaskInstance.objects.filter(**task, map_index__lte=0).order_by("pk")
    columns: dict[str, Combinable] = {
        "runs": ListOf(runs.order_by("-run_after", "-id")[:RUNS], "pk"),
        "is_held": Exists(Hold.objects.filter(**own)),
        "has_questions": Exists(HITLDetail.objects.filter(**own)),
        "first_name": Subquery(first.values("task_display_name")[:1]),
        "previous": ListOf(indexes.filter(map_index__lt=OuterRef("map_index")).order_by("-map_index")[:1], *OF_INDEX),
        "next": ListOf(indexes.filter(map_index__gt=OuterRef("map_index")).order_by("map_index")[:1], *OF_INDEX),
    }
    return annotate_facts(rows, columns)


def facts_of(ti: TaskInstance) -> TiFacts:
    """Return the facts of a task instance that was read ``with_facts``."""
    return read_facts(TiFacts, ti)
