"""Decides the pages about backfills: the form that orders one, the list, one with its dates, and what changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.roles import Role
from accounts.services import masked
from accounts.views import page
from dags_app.models import Dag
from dags_app.selectors import SpecUnreadableError
from orchestrator.kernel.clock import utcnow
from orchestrator.ui.list_page import list_page
from orchestrator.ui.returning import way_back
from runs.backfills.blocked import Blocked, blocked_runs
from runs.backfills.refusals import BackfillClosedError
from runs.backfills.selectors import backfills_open, foresee_dates
from runs.backfills.services import backfill_cancel as cancel
from runs.backfills.services import backfill_create, backfill_pause
from runs.models import Backfill
from runs.pages.backfill_form import REFUSALS, BackfillForm, foresee, read_form
from runs.pages.backfill_rows import BACKFILLS, attach_progress, state_of
from runs.pages.places import living_dag
from runs.views.clear import form_methods
from runs.views.confirming import Question, asked
from runs.views.sentences import counted
from runs.views.trigger import spec_or_404

DATES_PER_PAGE = 100


@form_methods
@page(Role.USER)
def dag_backfill(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show the form with the dates that it means; order what was shown."""
    dag = living_dag(dag_id)
    spec = spec_or_404(dag)
    form = read_form(dag, spec, request.POST if request.method == "POST" else request.GET)
    if request.method != "POST":
        return _show_form(request, dag, form)
    if form.order is None:
        form.problems.setdefault("all", "Give both dates.")
    elif request.POST.get("previewed") != form.signature:
        form.problems["all"] = "These are other dates than those that were shown. Look at them, then order."
    elif (made := _ordered(request, dag, form)) is not None:
        messages.success(request, f"The backfill of {dag_id} is ordered.")
        return redirect("backfill_detail", backfill_id=made.pk)
    return _show_form(request, dag, form, status=422)


def _ordered(request: HttpRequest, dag: Dag, form: BackfillForm) -> Backfill | None:
    assert form.order is not None  # noqa: S101  the caller looked
    try:
        foresee_dates(dag, form.order, utcnow())
        with transaction.atomic():
            return backfill_create(dag, form.order, user_name=request.user.get_username())
    except REFUSALS as error:
        form.problems["all"] = str(error)
        return None


def _show_form(request: HttpRequest, dag: Dag, form: BackfillForm, status: int = 200) -> HttpResponse:
    said = form.problems.get("all")
    foreseen = foresee(dag, form)
    if said:
        form.problems["all"] = said
    context = {
        "dag": dag,
        "form": form.conf,
        "backfill": form,
        "foreseen": foreseen,
        "open": backfills_open().filter(dag_id=dag.pk).first(),
        "next": way_back(request, reverse("dag_detail", args=[dag.dag_id])),
    }
    return render(request, "runs/backfill.html", context, status=status)


@require_GET
@page()
def backfill_list(request: HttpRequest) -> HttpResponseBase:
    """List the backfills of all DAGs, newest first."""
    return list_page(request, "runs/backfill_list.html", BACKFILLS, Backfill.objects.select_related("dag"), attach=attach)


def attach(rows: Any) -> None:
    """Count progress and say the state of a page of backfills."""
    attach_progress(rows)
    for row in rows:
        row.shown_state = state_of(row)


@require_GET
@page()
def backfill_detail(request: HttpRequest, backfill_id: int) -> HttpResponse:
    """Show one backfill with its dates and their runs, and what holds it up."""
    backfill = _found(backfill_id)
    attach([backfill])
    dates = Paginator(backfill.entries.select_related("dag_run").order_by("sort_ordinal"), DATES_PER_PAGE)
    context = {
        "backfill": backfill,
        "conf": masked(backfill.dag_run_conf),
        "dates": dates.get_page(request.GET.get("page")),
        "blocked": _blocked(backfill),
    }
    return render(request, "runs/backfill_detail.html", context)


def _blocked(backfill: Backfill) -> list[Blocked]:
    try:
        return blocked_runs(backfill) if backfill.completed_at is None else []
    except SpecUnreadableError:
        return []  # what cannot be read cannot be looked into; the dates are shown all the same


@form_methods
@page(Role.USER)
def backfill_cancel(request: HttpRequest, backfill_id: int) -> HttpResponse:
    """End a backfill."""
    said = ("Its queued runs fail; its running ones go on as runs of their own.", "This cannot be undone.")
    return _change(request, backfill_id, "Cancel", said, "is cancelled", cancel, is_danger=True)


@form_methods
@page(Role.USER)
def backfill_hold(request: HttpRequest, backfill_id: int) -> HttpResponse:
    """Begin no further run of a backfill."""
    said = ("No further run of it begins; running ones go on.",)
    return _change(request, backfill_id, "Pause", said, "is paused", _pause)


@form_methods
@page(Role.USER)
def backfill_release(request: HttpRequest, backfill_id: int) -> HttpResponse:
    """Let a backfill go on."""
    said = ("Its next runs begin.",)
    return _change(request, backfill_id, "Resume", said, "goes on", _resume)


def _change(
    request: HttpRequest,
    backfill_id: int,
    verb: str,
    said: tuple[str, ...],
    done: str,
    change: Callable[..., Backfill],
    is_danger: bool = False,
) -> HttpResponse:
    backfill = _found(backfill_id)
    name = f"the backfill of {backfill.dag_id}"
    runs = counted(backfill.entries.filter(dag_run__isnull=False).count(), "run")
    question = Question(
        f"{verb} {name}",
        (f"It has {runs}.", *said),
        f"{verb} backfill",
        f"{name[0].upper()}{name[1:]} {done}.",
        reverse("backfill_detail", args=[backfill_id]),
        is_danger=is_danger,
    )
    return asked(request, question, lambda: _do(change, backfill, request), (BackfillClosedError,))


def _pause(backfill: Backfill, *, actor: str) -> Backfill:
    return backfill_pause(backfill, True, actor=actor)


def _resume(backfill: Backfill, *, actor: str) -> Backfill:
    return backfill_pause(backfill, False, actor=actor)


def _do(change: Callable[..., Backfill], backfill: Backfill, request: HttpRequest) -> None:
    change(backfill, actor=request.user.get_username())


def _found(backfill_id: int) -> Backfill:
    found = Backfill.objects.select_related("dag").filter(pk=backfill_id).first()
    if found is None:
        raise Http404(f"There is no backfill {backfill_id}")
    return found
