"""Decides the search over everything: results of the palette (Ctrl-K), and a page of its own."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.pages.search.everything import search as search_everything
from runs.pages.search.hits import PREFIXES


@require_GET
@page()
def search(request: HttpRequest) -> HttpResponse:
    """Show what the words find, of what the person may see."""
    template = "runs/_search_options.html" if "X-Palette" in request.headers else "runs/search.html"
    response = render(request, template, {"found": search_everything(request), "prefixes": PREFIXES})
    response["Vary"] = "X-Palette"
    return response
