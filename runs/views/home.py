"""Decides the home page: what needs somebody, what runs now, what comes, and whether the platform is well."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.health import parts_health
from runs.dispatch_lag import stuck_dispatch
from runs.explain.platform import platform
from runs.models import DagRun, Pool
from runs.pages.dags.newest import SHOWN_RUNS, newest_runs
from runs.pages.dags.quick import QuickTab, quick_tabs
from runs.pages.dags.spark import bars
from runs.pages.home.chosen import chosen_dags
from runs.pages.home.history import SPANS, USUAL_SPAN, history
from runs.pages.home.needs import failing_dags, needs
from runs.pages.home.now import OpenRuns, open_runs, what_runs
from runs.pages.home.numbers import numbers_of
from runs.pages.pools import attach_parts

MOST_POOLS = 6


@require_GET
@page()
def home(request: HttpRequest) -> HttpResponse:
    """Show what is going on; each number leads to what it counts."""
    now = utcnow()
    tabs = {tab.label: tab for tab in quick_tabs(request.GET, request.user.get_username())}
    span = request.GET.get("span", USUAL_SPAN)
    context: dict[str, Any] = {
        "tabs": tabs,
        **_work(request.user, now, tabs),
        "history": history(now, span if span in SPANS else USUAL_SPAN),
        "spans": list(SPANS),
        "pools": _pools(),
        "dags_folder": conf.get("core", "dags_folder"),
    }
    return render(request, "runs/home.html", context)


def _work(user: Any, now: datetime, tabs: dict[str, QuickTab]) -> dict[str, Any]:
    """Return what is shown of DAGs, runs and parts of the platform; all newest runs come by one query."""
    numbers, parts = numbers_of(now), platform(now)
    dags = chosen_dags(user)
    runs = open_runs() if numbers["running"] or numbers["queued"] else OpenRuns()
    shown = [*dags.failing, *dags.favourites]
    newest = newest_runs({dag.pk: dag.runs_since for dag in shown} | {run.dag_id: run.runs_since for run in runs.running})
    health = parts_health(now, parts.rows)
    return {
        "health": health,
        "stuck": stuck_dispatch(now) if numbers["scheduled"] else None,
        "needs": needs(now, health, failing_dags(dags.failing, newest), tabs["Failing"].count, numbers),
        "now": what_runs(runs, newest, parts, numbers),
        "next": dags.coming,
        "favourites": _drawn(dags.favourites, newest),
    }


def _drawn(dags: Sequence[Any], newest: dict[str, list[DagRun]]) -> Sequence[Any]:
    for dag in dags:
        dag.bars = bars(newest[dag.pk], SHOWN_RUNS)
    return dags


def _pools() -> list[Pool]:
    """Return the fullest pools; who has no slot in use comes last."""
    pools = list(Pool.objects.order_by("pool")[:200])
    attach_parts(pools)
    used: dict[int, float] = {pool.pk: pool.occupied_slots / pool.slots if pool.slots > 0 else 0.0 for pool in pools}  # type: ignore[attr-defined]
    return sorted(pools, key=lambda pool: (-used[pool.pk], pool.pool))[:MOST_POOLS]
