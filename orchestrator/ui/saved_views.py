"""Decides the addresses that keep and delete saved views, and which views a list page offers."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.models import SavedView
from accounts.models import User as UserRow
from accounts.views import page
from orchestrator.ui.returning import way_back

LONGEST_NAME = 100


def views_for(request: HttpRequest, name: str) -> QuerySet[SavedView]:
    """Return the saved views of a list page: one's own and the shared ones."""
    shared = SavedView.objects.filter(page=name, is_shared=True)
    if not isinstance(request.user, UserRow) or request.user.pk is None:
        return shared
    return shared | SavedView.objects.filter(page=name, user=request.user)


@require_GET
@page()
def view_form(request: HttpRequest) -> HttpResponse:
    """Ask for the name of a view; also where one's own are deleted."""
    name = request.GET.get("page", "")
    own = [view for view in views_for(request, name) if view.user_id == request.user.pk]
    context = {"page_name": name, "query": request.GET.get("query", ""), "next": request.GET.get("next", "/"), "own": own}
    return render(request, "ui/view_form.html", context)


@require_POST
@page()
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep the query of a list under a name; the same name is written over."""
    name, target = request.POST.get("name", "").strip()[:LONGEST_NAME], way_back(request, "/")
    if not name or not isinstance(request.user, UserRow) or request.user.pk is None:
        messages.error(request, "A saved view needs a name and a signed-in user.")
        return redirect(target)
    query = request.POST.get("query", "")[:2000]
    defaults = {"query": query, "is_shared": request.POST.get("is_shared") == "on"}
    SavedView.objects.update_or_create(user=request.user, page=request.POST.get("page", "")[:60], name=name, defaults=defaults)
    messages.success(request, f"The view “{name}” is saved.")
    return redirect(target)


@require_POST
@page()
def view_delete(request: HttpRequest, view_id: int) -> HttpResponse:
    """Delete a view of one's own."""
    gone, _ = SavedView.objects.filter(pk=view_id, user__username=request.user.get_username()).delete()
    if not gone:
        raise Http404("There is no such view of yours")
    return redirect(way_back(request, "/"))
