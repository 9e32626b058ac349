"""Decides the list of DAGs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from dags_app.models import ParseImportError
from runs.pages.rows import dag_page


@require_GET
@page()
def dag_list(request: HttpRequest) -> HttpResponse:
    """Show the DAGs with their recent runs."""
    search = request.GET.get("q", "").strip()
    found, rows = dag_page(search, request.GET.get("page"))
    context = {"page": found, "rows": rows, "search": search, "error_count": ParseImportError.objects.count()}
    return render(request, "runs/dag_list.html", context)
