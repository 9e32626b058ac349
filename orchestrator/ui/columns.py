"""Decides the address that keeps which columns of a list somebody wants to see."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.views import page
from orchestrator.ui.preferences import PreferenceError, preferences_change, preferences_of
from orchestrator.ui.returning import way_back


@require_POST
@page()
def columns_save(request: HttpRequest) -> HttpResponse:
    """Keep the columns that are ticked, or forget the choice."""
    name, target = request.POST.get("list", ""), way_back(request, "/")
    chosen = {page: names for page, names in preferences_of(request).columns.items() if page != name}
    shown = set(request.POST.getlist("shown"))
    if "reset" not in request.POST:
        if not shown:
            messages.error(request, "A list needs at least one column.")
            return redirect(target)
        chosen[name] = [column for column in request.POST.getlist("known") if column not in shown]
    try:
        preferences_change(request, {"columns": chosen})
    except PreferenceError as error:
        messages.error(request, str(error))
    return redirect(target)
