"""Decides the home page: what needs somebody, what runs now, what comes, and whether the platform is well."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from dags_app.models import Dag, DagFavorite, ParseImportError
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.health import parts_health
from runs.dispatch_lag import stuck_dispatch
from runs.models import Pool
from runs.pages.dags.facts import acting_on, facts_of
from runs.pages.dags.quick import quick_tabs
from runs.pages.home.coming import SPANS, USUAL_SPAN, coming_next, history
from runs.pages.home.needs import needs
from runs.pages.home.now import what_runs
from runs.pages.pools import attach_parts

MOST_POOLS = 6
MOST_FAVOURITES = 8


@require_GET
@page()
def home(request: HttpRequest) -> HttpResponse:
    """Show what is going on; each number leads to what it counts."""
    now, name = utcnow(), request.user.get_username()
    tabs = {tab.label: tab for tab in quick_tabs(request.GET, name)}
    health, broken = parts_health(now), ParseImportError.objects.count()
    span = request.GET.get("span", USUAL_SPAN)
    context: dict[str, Any] = {
        "tabs": tabs,
        "health": health,
        "stuck": stuck_dispatch(now),
        "needs": needs(now, health, tabs["Failing"].count, broken, lambda ids: acting_on(ids, request.user)),
        "now": what_runs(now),
        "next": coming_next(),
        "history": history(now, span if span in SPANS else USUAL_SPAN),
        "spans": list(SPANS),
        "pools": _pools(),
        "favourites": _favourites(request.user) if tabs["Favourites"].count else [],
        "dags_folder": conf.get("core", "dags_folder"),
    }
    return render(request, "runs/home.html", context)


def _pools() -> list[Pool]:
    """Return the fullest pools; who has no slot in use comes last."""
    pools = list(Pool.objects.order_by("pool")[:200])
    attach_parts(pools)
    used: dict[int, float] = {pool.pk: pool.occupied_slots / pool.slots if pool.slots > 0 else 0.0 for pool in pools}  # type: ignore[attr-defined]
    return sorted(pools, key=lambda pool: (-used[pool.pk], pool.pool))[:MOST_POOLS]


def _favourites(user: Any) -> list[Any]:
    marked = DagFavorite.objects.filter(user_name=user.get_username()).values("dag_id")
    dags: list[Any] = list(Dag.objects.active().filter(pk__in=marked).order_by("dag_id")[:MOST_FAVOURITES])
    for dag, facts in zip(dags, facts_of(dags, user), strict=True):
        dag.facts = facts
    return dags
