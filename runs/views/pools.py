"""Decides the pages of pools: who holds their slots, the form, deletion."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from accounts.access import access_of
from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from orchestrator.database import notify_on_commit
from orchestrator.ui.deleting import Deletion, deletion
from orchestrator.ui.list_page import list_page
from orchestrator.ui.saving import save_form
from runs.api.pool_changes import DEFAULT_POOL
from runs.changes import SCHEDULER_TOPIC
from runs.models import Pool
from runs.pages.pools import POOLS, PoolForm, attach_parts
from runs.views.clear import form_methods


@require_GET
@page()
def pool_list(request: HttpRequest) -> HttpResponseBase:
    """List the pools with what holds their slots; Op and above change them."""
    best = access_of(request.user).best()
    context = {"may_edit": best is not None and best >= Role.OP, "default_pool": DEFAULT_POOL}
    return list_page(request, "runs/pool_list.html", POOLS, Pool.objects.all(), attach=attach_parts, context=context)


@form_methods
@page(Role.OP)
def pool_add(request: HttpRequest) -> HttpResponse:
    """Make a pool."""
    return _form(request, Pool())


@form_methods
@page(Role.OP)
def pool_edit(request: HttpRequest, name: str) -> HttpResponse:
    """Change a pool."""
    row = Pool.objects.filter(pool=name).first()
    if row is None:
        raise Http404(f"There is no pool {name}")
    return _form(request, row)


def _form(request: HttpRequest, row: Pool) -> HttpResponse:
    form = PoolForm(request.POST if request.method == "POST" else None, instance=row)
    if row.pk is not None:
        form.fields["pool"].disabled = True
    return save_form(request, form, "pool", "runs/pool_form.html", "pool_list", after=_wake)


@form_methods
@page(Role.OP)
def pools_delete(request: HttpRequest) -> HttpResponse:
    """Delete the chosen pools; the default one stays, because every task needs it."""
    actor = request.user.get_username()

    def delete(name: str) -> bool:
        audit_write("delete_pool", actor=actor, extra={"pool": name})
        _wake()
        return bool(Pool.objects.filter(pool=name).delete()[0])

    rows = Pool.objects.exclude(pool=DEFAULT_POOL)
    consequence = "Tasks that name it wait until there is such a pool again."
    return deletion(request, Deletion(POOLS, rows, "pool", "pool_list", consequence, delete))


def _wake() -> None:
    """Tasks may wait for these slots."""
    notify_on_commit(SCHEDULER_TOPIC)
