"""Decides the dialogs that give a run, a task or a task group a state by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from orchestrator.ui.returning import way_back
from runs.notes import set_notes, set_run_note
from runs.pages.affected import LONGEST_NOTE, FormRefusedError, chosen_rows, of_rows
from runs.pages.mark_form import RUN_STATES, STATES, MarkForm, MarkPlan, mark, plan, read_form, run_end
from runs.pages.places import Place, group_place, run_place, task_place
from runs.services import run_set_state
from runs.views.clear import form_methods
from runs.views.sentences import counted

_LOOK_AGAIN = "This reaches other tasks than those that were shown. Look at them, then mark."


@form_methods
@page(Role.USER)
def run_mark(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Set a run to success, failed or queued."""
    place = run_place(dag_id, run_id)
    if request.method != "POST":
        return _show(request, place, read_form(request.GET, place))
    form = read_form(request.POST, place)
    try:
        _mark_run(request, place, form)
    except FormRefusedError as error:
        return _show(request, place, form, error=str(error))
    messages.success(request, f"Run {run_id} is marked as {form.state}.")
    return redirect(way_back(request, place.path))


@form_methods
@page(Role.USER)
def ti_mark(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponse:
    """Set a task to success, failed or skipped."""
    return _answer(request, task_place(dag_id, run_id, task_id, map_index))


@form_methods
@page(Role.USER)
def group_mark(request: HttpRequest, dag_id: str, run_id: str, group_id: str) -> HttpResponse:
    """Set all tasks of a group to success, failed or skipped."""
    return _answer(request, group_place(dag_id, run_id, group_id))


def _answer(request: HttpRequest, place: Place) -> HttpResponse:
    if request.method != "POST":
        form = read_form(request.GET, place)
        return _show(request, place, form, plan(place, form))
    form = read_form(request.POST, place)
    found = plan(place, form)
    if request.POST.get("previewed") != form.signature:
        return _show(request, place, form, found, error=_LOOK_AGAIN)
    try:
        with transaction.atomic():
            number = _mark_tasks(request, place, form, found)
    except FormRefusedError as error:
        return _show(request, place, form, found, error=str(error))
    messages.success(request, f"{counted(number, 'task instance')} marked as {form.state}.")
    return redirect(way_back(request, place.path))


def _mark_run(request: HttpRequest, place: Place, form: MarkForm) -> None:
    _check_note(form)
    actor, run = request.user.get_username(), place.run
    with transaction.atomic():
        before = {"state": run.state, "note": run.note}
        if form.note:
            set_run_note(run, form.note, user=actor)
        run_set_state(run, form.state, actor=actor)
        ids: dict[str, Any] = {"dag_id": run.dag_id, "run_id": run.run_id, "logical_date": run.logical_date}
        after = {"state": run.state, "note": run.note}
        extra = {"state": form.state} | ({"note": form.note} if form.note else {})
        audit_write("patch_dag_run", actor=actor, extra=extra, before=before, after=after, **ids)


def _mark_tasks(request: HttpRequest, place: Place, form: MarkForm, found: MarkPlan) -> int:
    _check_note(form)
    actor, run = request.user.get_username(), place.run
    rows = chosen_rows(request.POST, found.rows)
    if not rows:
        raise FormRefusedError(f"No task instance is chosen that is not {form.state} already.")
    if form.note:
        set_notes(rows, form.note, user=actor)
    number = mark(place, form, rows, len(found.rows), actor=actor)
    ids: dict[str, Any] = {"dag_id": run.dag_id, "run_id": run.run_id}
    extra: dict[str, Any] = {"new_state": form.state, **{f"include_{name}": True for name in sorted(form.on)}}
    extra |= {"task_instances": number, "left_out": len(found.rows) - len(rows)} | ({"note": form.note} if form.note else {})
    if place.kind == "group":
        audit_write("patch_task_group_instances", actor=actor, extra=extra | {"group_id": place.name}, **ids)
    else:
        audit_write("patch_task_instance", actor=actor, extra=extra, **ids, task_id=place.name, map_index=place.map_index)
    return number


def _check_note(form: MarkForm) -> None:
    if len(form.note) > LONGEST_NOTE:
        raise FormRefusedError(f"A note has at most {LONGEST_NOTE} characters; this one has {len(form.note)}.")


def _show(request: HttpRequest, place: Place, form: MarkForm, found: MarkPlan | None = None, error: str = "") -> HttpResponse:
    context = {
        "place": place,
        "form": form,
        "states": RUN_STATES if place.kind == "run" else STATES,
        "seen": of_rows(found.rows) if found else None,
        "resumed": found.resumed if found else 0,
        "end": run_end(place.run) if place.kind == "run" else None,
        "error": error,
        "next": way_back(request, place.path),
        "unticked": frozenset(),
    }
    return render(request, "runs/mark.html", context, status=422 if error else 200)
