"""Decides the quick tabs of the list of DAGs, and how many DAGs are behind each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.http import QueryDict

from dags_app.models import Dag, DagFavorite
from runs.models import DagRun

# word, the parameters of the list
TABS: tuple[tuple[str, dict[str, str]], ...] = (
    ("All", {}),
    ("Failing", {"last_dag_run_state": "failed"}),
    ("Running", {"dag_run_state": "running"}),
    ("Paused", {"paused": "true"}),
    ("Favourites", {"is_favorite": "true"}),
)
_OWN = frozenset(name for _, given in TABS for name in given)


@dataclass(frozen=True, slots=True)
class QuickTab:
    """One tab: its word, its address, its number, and whether the list is exactly this."""

    label: str
    url: str
    count: int
    is_open: bool


def quick_tabs(query: QueryDict, user_name: str) -> list[QuickTab]:
    """Return the tabs; the open one is the one whose parameters alone are in the address."""
    counts = _counts(user_name)
    chosen = {name: query[name] for name in _OWN if query.get(name)}
    order = query.get("order_by", "")
    return [QuickTab(label, _url(given, order), counts[label], is_open=chosen == given) for label, given in TABS]


def _url(given: dict[str, str], order: str) -> str:
    copy = QueryDict(mutable=True)
    copy.update(given)
    if order:
        copy["order_by"] = order
    return f"?{copy.urlencode()}" if copy else "?"


def _counts(user_name: str) -> dict[str, int]:
    """Count by one query: the state of the newest run of each DAG is found by its index."""
    runs = DagRun.objects.filter(dag_id=OuterRef("pk"))
    newest = Subquery(runs.order_by("-run_after", "-id").values("state")[:1])
    marked = DagFavorite.objects.filter(user_name=user_name, dag_id=OuterRef("pk"))
    dags = Dag.objects.active().annotate(newest=newest, has_running=Exists(runs.running()), is_marked=Exists(marked))
    numbers: dict[str, Any] = dags.aggregate(
        All=Count("pk"),
        Failing=Count("pk", filter=Q(newest="failed")),
        Running=Count("pk", filter=Q(has_running=True)),
        Paused=Count("pk", filter=Q(is_paused=True)),
        Favourites=Count("pk", filter=Q(is_marked=True)),
    )
    return numbers
