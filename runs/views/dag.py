"""Decides the page of a DAG."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.views import page
from dags_app.models import Dag
from runs.pages.rows import elapsed, recent_runs


@require_GET
@page()
def dag_detail(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show a DAG with its newest runs."""
    dag = get_object_or_404(Dag.objects.prefetch_related("tags"), pk=dag_id)
    runs = list(reversed(recent_runs([dag_id])[dag_id]))
    return render(
        request, "runs/dag_detail.html", {"dag": dag, "runs": [(run, elapsed(run.start_date, run.end_date)) for run in runs]}
    )
