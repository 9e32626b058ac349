"""Decides what of other tables the query that reads a DAG for one of its pages brings along for the head: all that it tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.expressions import Combinable

from dags_app.models import Dag, DagOwnerLink, DagTag, DagWarning, ParseImportError
from orchestrator.counting import CountOf
from orchestrator.facts import annotate_facts, read_facts
from orchestrator.listing import ListOf
from runs.hitl.selectors import questions
from runs.models import DagRun
from runs.pages.dags.rows import is_favorite_of, number_of
from runs.states import DagRunState


@dataclass(frozen=True, slots=True)
class DagFacts:
    """What is brought along. The lists have the columns that ``with_facts`` names; ``import_error`` is that of the DAG's file."""

    running: int
    queued: int
    questions: int
    is_favorite: bool
    last_run_id: str | None
    last_state: str
    last_run_after: datetime
    import_error: str | None
    tags: list[tuple[str]]
    owner_links: list[tuple[str, str]]
    warnings: list[tuple[str]]


def with_facts(dags: QuerySet[Dag], user_name: str) -> QuerySet[Dag]:
    """Let a query for DAGs bring the facts of each, as a person sees them; ``facts_of`` reads them."""
    newest = DagRun.objects.filter(dag_id=OuterRef("pk")).order_by("-run_after", "-id")
    own = {"dag_id": OuterRef("pk")}
    error = ParseImportError.objects.filter(bundle_id=OuterRef("bundle_id"), filename=OuterRef("relative_fileloc"))
    columns: dict[str, Combinable] = {
        "running": number_of(DagRunState.RUNNING),
        "queued": number_of(DagRunState.QUEUED),
        "questions": CountOf(questions(None, None).filter(responded_at=None, dag_run__dag_id=OuterRef("pk"))),
        "is_favorite": is_favorite_of(user_name),
        "last_run_id": Subquery(newest.values("run_id")[:1]),
        "last_state": Subquery(newest.values("state")[:1]),
        "last_run_after": Subquery(newest.values("run_after")[:1]),
        "import_error": Subquery(error.values("stacktrace")),
        "tags": ListOf(DagTag.objects.filter(**own).order_by("name"), "name"),
        "owner_links": ListOf(DagOwnerLink.objects.filter(**own), "owner", "link"),
        "warnings": ListOf(DagWarning.objects.filter(**own).order_by("warning_type"), "message"),
    }
    return annotate_facts(dags, columns)


def facts_of(dag: Dag) -> DagFacts:
    """Return the facts of a DAG that was read ``with_facts``."""
    return read_facts(DagFacts, dag)
