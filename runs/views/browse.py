"""Decides the lists to browse: XComs, the parts of the platform, deadlines, the backfills of a DAG."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from accounts.views import page
from orchestrator.ui.list_page import list_page
from runs.models import Backfill
from runs.pages import deadline_list as deadlines
from runs.pages import job_list as jobs
from runs.pages import xcom_list as xcoms
from runs.pages.backfill_rows import BACKFILLS
from runs.views.backfills import attach as attach_backfills
from runs.views.dag_switches import dag_with_head


@require_GET
@page()
def xcom_list(request: HttpRequest) -> HttpResponseBase:
    """List XComs, the newest first."""
    return list_page(request, "runs/xcom_list.html", xcoms.XCOMS, xcoms.xcoms_shown(), attach=xcoms.attach)


@require_GET
@page()
def job_list(request: HttpRequest) -> HttpResponseBase:
    """List the parts of the platform, what lives first."""
    return list_page(request, "runs/job_list.html", jobs.JOBS, jobs.jobs_shown(), attach=jobs.attach)


@require_GET
@page()
def deadline_list(request: HttpRequest) -> HttpResponseBase:
    """List deadlines: all, those to come, or those that were missed."""
    return list_page(request, "runs/deadline_list.html", deadlines.LIST, deadlines.deadlines_shown(), attach=deadlines.attach)


@require_GET
@page()
def dag_backfills(request: HttpRequest, dag_id: str) -> HttpResponseBase:
    """List the backfills of a DAG."""
    dag = dag_with_head(request, dag_id)
    columns = tuple(column for column in BACKFILLS.columns if column.name != "dag_id")
    filters = tuple(item for item in BACKFILLS.filters if item.name != "dag_id_pattern")
    spec = replace(BACKFILLS, name="dag_backfills", columns=columns, filters=filters)
    rows = Backfill.objects.select_related("dag").filter(dag=dag)
    return list_page(request, "runs/dag_backfills.html", spec, rows, attach=attach_backfills, context={"dag": dag})
