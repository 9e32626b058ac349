"""Decides the list of DAGs, and the order to pause or unpause those that are chosen in it."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.access import access_of
from accounts.roles import Role
from accounts.views import page
from dags_app.dag_filters import dags
from dags_app.models import Dag
from dags_app.pausing import dag_pause
from dags_app.switch_messages import say_switched
from orchestrator.config import conf
from orchestrator.rest.errors import RestError
from orchestrator.ui.list_page import list_page
from orchestrator.ui.lists import read_values
from orchestrator.ui.returning import way_back
from runs.pages.dags.facts import attach_facts
from runs.pages.dags.list_spec import DAGS, spec_for
from runs.pages.dags.quick import quick_tabs
from runs.pages.dags.rows import with_row_facts

MOST_AT_ONCE = 1000


@require_GET
@page()
def dag_list(request: HttpRequest) -> HttpResponseBase:
    """Show the DAGs with what their newest runs did."""
    name = request.user.get_username()
    best = access_of(request.user).best()
    context = {
        "tabs": quick_tabs(request.GET, name),
        "may_choose": best is not None and best >= Role.USER,
        "any_dag": Dag.objects.exists,
        "dags_folder": conf.get("core", "dags_folder"),
    }
    rows = with_row_facts(dags(), request.user)
    return list_page(request, "runs/dag_list.html", spec_for(name), rows, attach=attach_facts, context=context)


@require_POST
@page(Role.USER)
def dags_switch(request: HttpRequest) -> HttpResponse:
    """Pause or unpause the chosen DAGs, each with its own row in the audit log; what one may not change is left alone."""
    is_paused = request.POST.get("is_paused") == "true"
    target = way_back(request, reverse("dag_list"))
    chosen = _chosen(request)
    if len(chosen) > MOST_AT_ONCE:
        messages.error(
            request, f"{len(chosen):,} DAGs are too many at once; at most {MOST_AT_ONCE:,} can be. Filter the list first."
        )
        return redirect(target)
    with transaction.atomic():
        actor = request.user.get_username()
        done = [dag_id for dag_id in chosen if dag_pause(dag_id, is_paused, actor=actor)]
    if done:
        say_switched(request, is_paused, done)
    else:
        word = "paused" if is_paused else "on"
        messages.error(request, f"Nothing is switched: what was chosen is {word} already, or not yours to change.")
    return redirect(target)


def _chosen(request: HttpRequest) -> list[str]:
    """Return the DAGs whose state would change: those ticked, or all that the filters of the list choose."""
    others = Dag.objects.exclude(is_paused=request.POST.get("is_paused") == "true")
    if request.POST.get("all") != "yes":
        return sorted(others.filter(pk__in=request.POST.getlist("selected")).values_list("pk", flat=True))
    try:
        values = read_values(DAGS, QueryDict(request.POST.get("query", "")))
        found = spec_for(request.user.get_username()).narrow(dags(), values).values("pk")
    except RestError:
        return []
    return sorted(others.filter(pk__in=found).values_list("pk", flat=True))
