"""Decides the pages about DAG files: the pause switch, taking it back, and the import errors."""

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import Role
from accounts.views import page
from dags_app.api.pausing import dag_pause
from dags_app.broken_files import ERRORS, attach
from dags_app.models import ParseImportError
from dags_app.switch_messages import say_switched, say_switched_back, say_unmoved
from dags_app.switching_back import switches_undo
from orchestrator.kernel.clock import utcnow
from orchestrator.ui.list_page import list_page
from orchestrator.ui.returning import way_back


@require_POST
@page(Role.USER)
def dag_switch(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Pause or unpause a DAG and lead back."""
    is_paused = request.POST.get("is_paused") == "true"
    with transaction.atomic():
        is_moved = dag_pause(dag_id, is_paused, actor=request.user.get_username())
    if is_moved is None:
        raise Http404(f"There is no DAG {dag_id}")
    if is_moved:
        say_switched(request, is_paused, [dag_id])
    else:
        say_unmoved(request, is_paused, dag_id)
    return redirect(way_back(request, "/dags"))


@require_POST
@page(Role.USER)
def switches_back(request: HttpRequest) -> HttpResponse:
    """Take back what a request of the same person switched some seconds ago."""
    with transaction.atomic():
        done = switches_undo(request.POST.get("request_id", ""), actor=request.user.get_username(), now=utcnow())
    say_switched_back(request, done)
    return redirect(way_back(request, "/dags"))


@require_GET
@page()
def import_errors(request: HttpRequest) -> HttpResponseBase:
    """Show the files that cannot be read, with their tracebacks."""
    return list_page(request, "dags_app/import_errors.html", ERRORS, ParseImportError.objects.all(), attach=attach)
