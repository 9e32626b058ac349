"""Decides the pages about bulk actions: the form that orders one, the list, one with its progress, and its end."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import Role
from accounts.views import page
from orchestrator.ui.list_page import list_page
from orchestrator.ui.returning import way_back
from runs.bulk.ordering import bulk_cancel_for, bulk_order_for
from runs.bulk.services import NotOpenError
from runs.models import BulkAction, BulkFailure
from runs.pages.bulk_form import BulkForm, read_form
from runs.pages.bulk_rows import BULK_ACTIONS, actions_shown, asked_of, attach_shares
from runs.views.clear import form_methods
from runs.views.confirming import Question, asked

FAILURES_PER_PAGE = 100


@require_POST
@page(Role.USER)
def bulk_new(request: HttpRequest) -> HttpResponse:
    """Show what an action on the chosen rows of a list would touch; order it once that was seen."""
    form = read_form(request.POST, request.user.get_username())
    if form is None:
        raise Http404("There is no such bulk action")
    is_order = request.POST.get("confirmed") == "yes" and form.order is not None and not form.problem
    if is_order and request.POST.get("previewed") != form.signature:
        form.problem = "This means other rows or options than those that were shown. Look at them, then order."
    elif is_order and form.typed and request.POST.get("typed", "").strip() != form.typed:
        form.problem = f"Type {form.typed} to confirm; that is not what was typed."
    elif is_order:
        action = _ordered(request, form)
        messages.success(request, "The order is taken; this page shows how far it is.")
        return redirect("bulk_detail", bulk_id=action.pk)
    context = {"form": form, "next": way_back(request, reverse("home"))}
    return render(request, "runs/bulk_new.html", context, status=422 if form.problem and "confirmed" in request.POST else 200)


def _ordered(request: HttpRequest, form: BulkForm) -> BulkAction:
    order = form.order
    assert order is not None  # noqa: S101  the caller looked
    sent = {"target": order.target, "kind": order.kind, "options": order.options, **order.selection}
    if "items" in sent:
        sent["items"] = len(order.selection["items"])  # the action itself keeps them
    return bulk_order_for(request.user, order, sent, door="ui", reason=request.POST.get("reason", "").strip())


@require_GET
@page()
def bulk_list(request: HttpRequest) -> HttpResponseBase:
    """List the bulk actions, newest first; where rules limit somebody, his own."""
    return list_page(request, "runs/bulk_list.html", BULK_ACTIONS, actions_shown(), attach=attach_shares)


@require_GET
@page()
def bulk_detail(request: HttpRequest, bulk_id: int) -> HttpResponse:
    """Show one bulk action: how far it is, what was asked, and what could not be done."""
    action = _found(bulk_id)
    attach_shares([action])
    failures = Paginator(BulkFailure.objects.filter(action=action).order_by("id"), FAILURES_PER_PAGE)
    context = {"action": action, "asked": asked_of(action), "failures": failures.get_page(request.GET.get("page"))}
    return render(request, "runs/bulk_detail.html", context)


@form_methods
@page(Role.USER)
def bulk_cancel(request: HttpRequest, bulk_id: int) -> HttpResponse:
    """Begin nothing more of a bulk action."""
    action = _found(bulk_id)
    left = max(action.total - action.done, 0)
    question = Question(
        f"Cancel bulk action {action.pk}",
        (f"{action.done:,} are done and stay done; {left:,} are left as they are.",),
        "Cancel the rest",
        f"Bulk action {action.pk} is cancelled.",
        reverse("bulk_detail", args=[action.pk]),
        is_danger=True,
    )
    return asked(request, question, lambda: _cancel(request, action), (NotOpenError,))


def _cancel(request: HttpRequest, action: BulkAction) -> None:
    bulk_cancel_for(request.user, action)


def _found(bulk_id: int) -> BulkAction:
    found = BulkAction.objects.filter(pk=bulk_id).first()
    if found is None:
        raise Http404(f"There is no bulk action {bulk_id}")
    return found
