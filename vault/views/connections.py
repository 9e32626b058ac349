"""Decides the pages of connections: the list, the form by type, deletion, files."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from orchestrator.ui.deleting import Deletion, deletion
from orchestrator.ui.list_page import list_page
from orchestrator.ui.saving import save_form
from vault.admin_forms import ConnectionForm
from vault.connection_tests import is_enabled
from vault.connection_types import known_types, type_hint
from vault.lists import CONNECTIONS
from vault.masked_files import masked_connections
from vault.models import Connection
from vault.services import connection_delete, connections_create_defaults
from vault.transfer import connections_import
from vault.type_forms import form_of_type
from vault.views.files import export_answer, import_page

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
@page(Role.OP)
def connection_list(request: HttpRequest) -> HttpResponseBase:
    """List connections; secrets are in no column and in no file."""
    return list_page(
        request, "vault/connection_list.html", CONNECTIONS, Connection.objects.all(), context={"can_test": is_enabled()}
    )


@form_methods
@page(Role.OP)
def connection_add(request: HttpRequest) -> HttpResponse:
    """Make a connection."""
    return _form(request, Connection())


@form_methods
@page(Role.OP)
def connection_edit(request: HttpRequest, conn_id: str) -> HttpResponse:
    """Change a connection."""
    row = Connection.objects.filter(conn_id=conn_id).first()
    if row is None:
        raise Http404(f"There is no connection {conn_id}")
    return _form(request, row)


def _form(request: HttpRequest, row: Connection) -> HttpResponse:
    form = ConnectionForm(request.POST if request.method == "POST" else None, instance=row)
    if row.pk is not None:
        form.fields["conn_id"].disabled = True  # DAGs name the connection by it
    more: dict[str, Any] = {"types": known_types().values(), "can_test": is_enabled()}
    answer = save_form(request, form, "connection", "vault/connection_form.html", "connection_list", more)
    if answer.status_code == 302 and (hint := type_hint(row.conn_type)):
        messages.warning(request, hint)
    return answer


@require_GET
@page(Role.OP)
def connection_type(request: HttpRequest) -> HttpResponse:
    """Answer what the form of a type looks like."""
    return JsonResponse(form_of_type(request.GET.get("name", "")))


@form_methods
@page(Role.OP)
def connections_delete(request: HttpRequest) -> HttpResponse:
    """Delete the chosen connections."""
    actor = request.user.get_username()

    def delete(conn_id: str) -> bool:
        audit_write("delete_connection", actor=actor, extra={"connection_id": conn_id})
        return connection_delete(conn_id)

    consequence = "Tasks that name it fail when they next ask for it."
    rows = Connection.objects.all()
    return deletion(request, Deletion(CONNECTIONS, rows, "conn_id", "connection_list", consequence, delete))


@form_methods
@page(Role.OP)
def connections_load(request: HttpRequest) -> HttpResponse:
    """Take connections from a file."""
    return import_page(request, "connection", "connection_list", connections_import)


@require_GET
@page(Role.OP)
def connections_save(request: HttpRequest) -> HttpResponse:
    """Give all connections as a file, with ``***`` for each secret."""
    return export_answer("connections.json", masked_connections())


@require_POST
@page(Role.OP)
def connections_defaults(request: HttpRequest) -> HttpResponse:
    """Make those of Airflow's default connections that are missing."""
    with transaction.atomic():
        made = connections_create_defaults()
        if made:
            audit_write("create_default_connections", actor=request.user.get_username(), extra={"connection_ids": made})
    messages.success(request, f"{len(made)} default connections made." if made else "All default connections are there.")
    return redirect("connection_list")
