"""Decides the page of the configuration: only where ``[api] expose_config`` allows it, secrets never."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.roles import Role
from accounts.views import page
from orchestrator.config import conf
from orchestrator.rest.configuration import HIDDEN, is_exposed
from orchestrator.ui.configuration_page import KINDS, sections


@require_GET
@page(Role.OP)
def configuration(request: HttpRequest) -> HttpResponse:
    """Show the options that match."""
    if not is_exposed():
        return render(request, "ui/configuration.html", {"is_closed": True}, status=403)
    search, kind = request.GET.get("q", "").strip(), request.GET.get("source", "")
    changed = request.GET.get("changed") == "on"
    context = {
        "q": search,
        "changed": changed,
        "kind": kind,
        "kinds": KINDS,
        "hidden": HIDDEN,
        "sections": sections(search, changed_only=changed, kind=kind),
        "warnings": conf.warnings(),
    }
    return render(request, "ui/configuration.html", context)
