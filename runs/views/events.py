"""Decides the page of the audit log."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from accounts.models import AuditLog
from accounts.views import page
from orchestrator.ui.list_page import list_page
from runs.pages.events import EVENTS, attach


@require_GET
@page()
def audit_log(request: HttpRequest) -> HttpResponseBase:
    """List what was done, newest first; of DAGs that the person reaches, and by himself."""
    return list_page(request, "runs/audit_log.html", EVENTS, AuditLog.objects.all(), attach=attach)
