"""Decides which DAGs the home page names, those that fail, one's favourites and those that run next, by one query for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from dags_app.models import Dag, DagFavorite
from runs.models import DagRun
from runs.pages.dags.rows import with_row_facts

MOST_FAILING = 8
MOST_FAVOURITES = 8
MOST_NEXT = 8


@dataclass(frozen=True, slots=True)
class Chosen:
    """DAGs as ``with_row_facts`` gives them.

    Those whose newest run failed, the latest first but paused ones last; those with a star; those that run next.
    """

    failing: Sequence[Any]
    favourites: Sequence[Any]
    coming: Sequence[Any]


def chosen_dags(user: Any) -> Chosen:
    """Return them; a DAG may be in several places."""
    failing = _with_newest().filter(newest_state="failed").order_by("is_paused", "-newest_due", "pk").values("pk")
    marked = DagFavorite.objects.filter(user_name=user.get_username(), dag__is_stale=False).order_by("dag_id").values("dag_id")
    coming = Dag.objects.active().filter(is_paused=False, next_dagrun_create_after__isnull=False)
    following = coming.order_by("next_dagrun_create_after", "pk").values("pk")
    wanted = Q(pk__in=failing[:MOST_FAILING]) | Q(pk__in=marked[:MOST_FAVOURITES]) | Q(pk__in=following[:MOST_NEXT])
    dags = with_row_facts(_with_newest().filter(wanted), user).order_by("pk")
    # The limit is never reached; without it PostgreSQL expects most DAGs and spends 90 ms on compiling the query.
    return _sorted(list(dags[: MOST_FAILING + MOST_FAVOURITES + MOST_NEXT]))


def _sorted(dags: Sequence[Any]) -> Chosen:
    """Part the DAGs as they were looked for; they come by their ids, and stay so where nothing else orders them."""
    failing = sorted((dag for dag in dags if dag.newest_state == "failed"), key=lambda dag: dag.newest_due, reverse=True)
    coming = (dag for dag in dags if not dag.is_paused and dag.next_dagrun_create_after is not None)
    return Chosen(
        failing=sorted(failing, key=lambda dag: dag.is_paused)[:MOST_FAILING],
        favourites=[dag for dag in dags if dag.is_favorite][:MOST_FAVOURITES],
        coming=sorted(coming, key=lambda dag: dag.next_dagrun_create_after)[:MOST_NEXT],
    )


def _with_newest() -> QuerySet[Any]:
    newest = DagRun._base_manager.filter(dag_id=OuterRef("pk")).order_by("-run_after", "-id")
    states = {"newest_state": Subquery(newest.values("state")[:1]), "newest_due": Subquery(newest.values("run_after")[:1])}
    dags: QuerySet[Any] = Dag.objects.active().annotate(**states)
    return dags
