"""Decides the pages of variables: the list, the form, deletion, files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from orchestrator.ui.deleting import Deletion, deletion
from orchestrator.ui.list_page import list_page
from orchestrator.ui.saving import save_form
from vault.admin_forms import VariableForm
from vault.lists import VARIABLES
from vault.masked_files import masked_variables
from vault.models import Variable
from vault.services import variable_delete
from vault.shown import shown_value
from vault.transfer import variables_import
from vault.views.connections import form_methods
from vault.views.files import export_answer, import_page


@require_GET
@page(Role.OP)
def variable_list(request: HttpRequest) -> HttpResponseBase:
    """List variables with their values as the API shows them."""
    return list_page(request, "vault/variable_list.html", VARIABLES, Variable.objects.all(), attach=_attach)


def _attach(rows: Sequence[Any]) -> None:
    for row in rows:
        row.shown = shown_value(row) or ""


@form_methods
@page(Role.OP)
def variable_add(request: HttpRequest) -> HttpResponse:
    """Make a variable."""
    return _form(request, Variable())


@form_methods
@page(Role.OP)
def variable_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a variable."""
    row = Variable.objects.filter(key=key).first()
    if row is None:
        raise Http404(f"There is no variable {key}")
    return _form(request, row)


def _form(request: HttpRequest, row: Variable) -> HttpResponse:
    form = VariableForm(request.POST if request.method == "POST" else None, instance=row)
    if row.pk is not None:
        form.fields["key"].disabled = True  # DAGs name the variable by it
    return save_form(request, form, "variable", "vault/variable_form.html", "variable_list")


@form_methods
@page(Role.OP)
def variables_delete(request: HttpRequest) -> HttpResponse:
    """Delete the chosen variables."""
    actor = request.user.get_username()

    def delete(key: str) -> bool:
        audit_write("delete_variable", actor=actor, extra={"key": key})
        return variable_delete(key)

    consequence = "DAGs that read it without a default fail."
    return deletion(request, Deletion(VARIABLES, Variable.objects.all(), "key", "variable_list", consequence, delete))


@form_methods
@page(Role.OP)
def variables_load(request: HttpRequest) -> HttpResponse:
    """Take variables from a file."""
    return import_page(request, "variable", "variable_list", variables_import)


@require_GET
@page(Role.OP)
def variables_save(request: HttpRequest) -> HttpResponse:
    """Give all variables as a file, with ``***`` for what is secret."""
    return export_answer("variables.json", masked_variables())
