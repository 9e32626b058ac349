"""Decides how a view answers with a list page: the page, the same rows as CSV, a tidier address, or what was wrong with it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from orchestrator.rest.errors import RestError
from orchestrator.ui.addresses import page_path
from orchestrator.ui.csv_export import csv_response
from orchestrator.ui.list_fields import tidied
from orchestrator.ui.lists import Attach, ListSpec, list_view


def list_page(
    request: HttpRequest,
    template: str,
    spec: ListSpec,
    rows: QuerySet[Any],
    *,
    attach: Attach | None = None,
    context: dict[str, Any] | None = None,
) -> HttpResponseBase:
    """Answer with a list; ``attach`` loads for the rows of a page what they do not carry, by a constant number of queries.

    What a form sent, empty fields and times on the person's clock, leads to the address that it means.
    """
    tidy = tidied(spec.filters, request.GET).urlencode()
    if tidy != request.GET.urlencode():
        path = page_path(request)
        return redirect(f"{path}?{tidy}" if tidy else path)
    if request.GET.get("format") == "csv":
        try:
            return csv_response(request, spec, rows, attach)
        except RestError:
            pass  # The page says what is wrong.
    found = list_view(request, spec, rows, attach)
    given = {"list": found, **(context or {})}
    return render(request, template, given, status=400 if found.error else 200)
