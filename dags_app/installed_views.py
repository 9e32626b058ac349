"""Decides the pages about what is installed beside the DAG files: providers and plugins."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from dags_app.api.plugins import LISTS
from dags_app.models import Plugin
from dags_app.providers import installed_providers
from orchestrator.config import conf


@require_GET
@page()
def provider_list(request: HttpRequest) -> HttpResponse:
    """List the providers: ours, and the packages that are installed."""
    search = request.GET.get("q", "").strip()
    wanted = search.lower().split()
    rows = [
        row
        for row in installed_providers()
        if all(word in f"{row['package_name']} {row['description']}".lower() for word in wanted)
    ]
    return render(request, "dags_app/provider_list.html", {"rows": rows, "q": search})


@require_GET
@page()
def plugin_list(request: HttpRequest) -> HttpResponse:
    """List the plugins with what they bring, first those that could not be loaded."""
    rows = list(Plugin.objects.order_by("name", "pk"))
    context = {
        "broken": [row for row in rows if row.error],
        "rows": [(row, _brings(row)) for row in rows if not row.error],
        "folder": conf.get("core", "plugins_folder"),
    }
    return render(request, "dags_app/plugin_list.html", context)


def _brings(row: Plugin) -> list[tuple[str, list[str]]]:
    """What it brings as (kind, names), without kinds of which it brings nothing."""
    found = ((name, row.content.get(name) or []) for name in LISTS)
    return [(name, [_name(item) for item in items]) for name, items in found if items]


def _name(item: object) -> str:
    return str(item.get("name") or item.get("url_prefix") or item) if isinstance(item, dict) else str(item)
