"""Decides what of other rows the query that reads a run for one of its pages brings along for the head."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from dags_app.models import Dag, DagVersion
from orchestrator.counting import CountOf
from orchestrator.facts import annotate_facts, read_facts
from orchestrator.listing import ListOf
from runs.hitl.selectors import MOST_COUNTED
from runs.models import DagRun, HITLDetail, Hold

# The runs before this one that are looked at: for the usual duration, for the history of an error.
EARLIER = 50
SIBLINGS = 7
_DAG = (
    "dag_display_name",
    "latest_version_id",
    *(f"latest_version__{name}" for name in ("version_number", "structure_hash", "attributes_hash")),
)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is brought along: the DAG, empty where it was deleted, and the keys of the runs beside this one, the nearest first."""

    dag: list[tuple[str, str | None, int, str, str]]
    earlier: list[tuple[int]]
    later: list[tuple[int]]
    has_holds: bool
    questions: int

    @property
    def newest_version(self) -> DagVersion | None:
        """The newest version of the DAG, without its document."""
        for _, key, number, structure, attributes in self.dag:
            if key is not None:
                return DagVersion(pk=UUID(key), version_number=number, structure_hash=structure, attributes_hash=attributes)
        return None


def with_facts(runs: QuerySet[DagRun]) -> QuerySet[DagRun]:
    """Let a query for runs bring the facts of each; ``facts_of`` reads them."""
    beside = DagRun.objects.filter(dag_id=OuterRef("dag_id"))
    asked = HITLDetail.objects.filter(dag_run_id=OuterRef("pk"))
    columns: dict[str, Combinable] = {
        "dag": ListOf(Dag.objects.filter(pk=OuterRef("dag_id")), *_DAG),
        "earlier": ListOf(beside.filter(_before()).order_by("-run_after", "-pk")[:EARLIER], "pk"),
        "later": ListOf(beside.filter(_after()).order_by("run_after", "pk")[:SIBLINGS], "pk"),
        "has_holds": Exists(Hold.objects.filter(dag_run_id=OuterRef("pk"))),
        "questions": CountOf(asked[:MOST_COUNTED]),
    }
    return annotate_facts(runs, columns)


def facts_of(run: DagRun) -> RunFacts:
    """Return the facts of a run that was read ``with_facts``."""
    return read_facts(RunFacts, run)


def _before() -> Q:
    at = OuterRef("run_after")
    return Q(run_after__lte=at) & (Q(run_after__lt=at) | Q(pk__lt=OuterRef("pk")))


def _after() -> Q:
    at = OuterRef("run_after")
    return Q(run_after__gte=at) & (Q(run_after__gt=at) | Q(pk__gt=OuterRef("pk")))
