"""Decides what the query of DAGs brings along for a page that shows their facts, so that nothing of it is a query of its own."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Case, Exists, OuterRef, QuerySet, Value, When

from accounts.access import access_of
from accounts.roles import Role
from dags_app.models import Dag, DagFavorite
from orchestrator.counting import CountOf
from runs.models import DagRun
from runs.pages.dags.newest import reach
from runs.states import DagRunState


def with_row_facts(rows: QuerySet[Dag], user: Any) -> QuerySet[Dag]:
    """Annotate DAGs with what ``facts_of`` reads: each is found by an index, and only for the rows of the page."""
    return rows.annotate(
        is_favorite=is_favorite_of(user.get_username()),
        may_act=may_act(user),
        running=number_of(DagRunState.RUNNING),
        queued=number_of(DagRunState.QUEUED),
        runs_since=reach(),
    )


def may_act(user: Any) -> Case:
    """Return whether somebody may act on the DAG of the row: by his role, or by the rules that limit it."""
    access = access_of(user)
    scope = access.scope(Role.USER)
    if scope is not None:
        return Case(When(scope.dags, then=True), default=False, output_field=BooleanField())
    return Case(default=Value(access.role is not None and access.role >= Role.USER), output_field=BooleanField())


def is_favorite_of(user_name: str) -> Exists:
    """Return whether somebody has put a star on the DAG of the row."""
    return Exists(DagFavorite.objects.filter(user_name=user_name, dag_id=OuterRef("pk")))


def number_of(state: DagRunState) -> CountOf:
    """Return how many runs of the DAG of the row are in a state."""
    # Not the reaching manager: the DAG of the row is reached, so are its runs.
    return CountOf(DagRun._base_manager.filter(dag_id=OuterRef("pk"), state=state))
