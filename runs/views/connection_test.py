"""Decides how a stored connection is tested from its list: in a process of its own, while the page waits."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from orchestrator.ui.returning import way_back
from runs.connection_tests.launch import test_at_once
from vault.connection_tests import is_enabled, parts_for
from vault.keys import UndecryptableError
from vault.models import Connection


@require_POST
@page(Role.OP)
def connection_test(request: HttpRequest, conn_id: str) -> HttpResponse:
    """Test what is stored and say how it went."""
    if not Connection.objects.filter(conn_id=conn_id).exists():
        raise Http404(f"There is no connection {conn_id}")
    if not is_enabled():
        messages.error(request, "Tests of connections are off: set [core] test_connection = Enabled to allow them.")
    else:
        _tell(request, conn_id)
    return redirect(way_back(request, reverse("connection_list")))


def _tell(request: HttpRequest, conn_id: str) -> None:
    try:
        is_good, text = test_at_once(conn_id, parts_for(conn_id, {}))
    except UndecryptableError as error:
        messages.error(request, f"{conn_id}: the stored secrets cannot be read ({error.short}). Enter them again.")
        return
    audit_write("test_connection", actor=request.user.get_username(), extra={"connection_id": conn_id, "status": is_good})
    (messages.success if is_good else messages.error)(request, f"{conn_id}: {text}")
