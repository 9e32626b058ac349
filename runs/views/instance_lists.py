"""Decides the list of the task instances of all DAGs and runs."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from accounts.views import page
from orchestrator.ui.list_page import list_page
from runs.bulk.kinds import Target
from runs.pages.bulk_bar import bulk_bar
from runs.pages.instance_list import INSTANCES, attach, instances_shown


@require_GET
@page()
def task_instance_list(request: HttpRequest) -> HttpResponseBase:
    """List task instances, what began last first."""
    context = {"bulk": bulk_bar(request, Target.TASK_INSTANCES)}
    return list_page(request, "runs/task_instance_list.html", INSTANCES, instances_shown(), attach=attach, context=context)
