"""Decides the dialogs that have a run, a task or a task group run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from dags_app.selectors import SpecUnreadableError
from orchestrator.ui.returning import way_back
from runs.clear_everywhere import reached_clear
from runs.clear_markers import MarkerError, Reached, RecursionDepthError
from runs.notes import set_run_note
from runs.pages.affected import LONGEST_NOTE, Affected, FormRefusedError, chosen_rows, of_rows
from runs.pages.clear_form import ClearForm, affected, new_tasks, options, reached, read_form, versions_of
from runs.pages.places import Place, group_place, run_place, task_place
from runs.rerun_versions import VersionUnavailableError
from runs.services_clear import RunningTaskError, run_add_new_tasks
from runs.views.sentences import counted

_REFUSALS = (MarkerError, RecursionDepthError, VersionUnavailableError, SpecUnreadableError, RunningTaskError)
form_methods = require_http_methods(["GET", "HEAD", "POST"])


@form_methods
@page(Role.USER)
def run_clear(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Have a run run again: its tasks, those that failed, or only new ones."""
    return _answer(request, run_place(dag_id, run_id))


@form_methods
@page(Role.USER)
def ti_clear(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponse:
    """Have a task run again, with others as asked."""
    return _answer(request, task_place(dag_id, run_id, task_id, map_index))


@form_methods
@page(Role.USER)
def group_clear(request: HttpRequest, dag_id: str, run_id: str, group_id: str) -> HttpResponse:
    """Have a task group run again."""
    return _answer(request, group_place(dag_id, run_id, group_id))


def _answer(request: HttpRequest, place: Place) -> HttpResponse:
    is_order = request.method == "POST"
    form = read_form(request.POST if is_order else request.GET, place)
    found: list[Reached] = []
    error = ""
    try:
        found = reached(place, form)
        seen = affected(place, form, found)
        if is_order and request.POST.get("previewed") == form.signature:
            messages.success(request, _carry_out(request, place, form, found))
            return redirect(way_back(request, place.path))
        if is_order:
            error = "This reaches other tasks than those that were shown. Look at them, then clear."
    except (*_REFUSALS, FormRefusedError) as refusal:
        error, seen = str(refusal), of_rows([row for item in found for row in item.rows])
    return _show(request, place, form, seen, error, status=422 if error and is_order else 200)


def _carry_out(request: HttpRequest, place: Place, form: ClearForm, found: Sequence[Reached]) -> str:
    """Clear, in one transaction, and return what was done as a sentence."""
    actor = request.user.get_username()
    if len(form.note) > LONGEST_NOTE:
        raise FormRefusedError(f"A note has at most {LONGEST_NOTE} characters; this one has {len(form.note)}.")
    with transaction.atomic():
        said = _new_only(place, actor) if form.mode == "new" else _again(request, place, form, found)
        if form.note and place.kind == "run":
            set_run_note(place.run, form.note, user=actor)
    return said


def _new_only(place: Place, actor: str) -> str:
    added = run_add_new_tasks(place.run, actor=actor)
    if not added:
        raise FormRefusedError("The newest version has no task that this run does not have.")
    _audit(place, actor, {"only_new": True, "new_tasks": list(added)})
    return f"{counted(len(added), 'new task')} will run in {place.label}."


def _again(request: HttpRequest, place: Place, form: ClearForm, found: Sequence[Reached]) -> str:
    actor = request.user.get_username()
    kept = [replace_rows(item, chosen_rows(request.POST, item.rows)) for item in found]
    kept = [item for item in kept if item.rows]
    number, of_all = (sum(len(item.rows) for item in some) for some in (kept, found))
    if not number:
        raise FormRefusedError("No task instance is chosen, so there is nothing to clear.")
    note = form.note if form.note and place.kind != "run" else None
    reached_clear(kept, options(form, actor, note=note), place.run.dag_id)
    extra: dict[str, Any] = {f"include_{name}": True for name in sorted(form.on & {"past", "future", "upstream", "downstream"})}
    extra |= {"only_failed": "only_failed" in form.on or form.mode == "failed", "recursive": "recursive" in form.on}
    extra |= {"task_instances": number, "left_out": of_all - number, "run_on_latest_version": form.latest}
    _audit(place, actor, extra | ({"note": form.note} if form.note else {}))
    runs = len({item.run.pk for item in kept})
    return f"{counted(number, 'task instance')} will run again in {counted(runs, 'run')}."


def replace_rows(item: Reached, rows: list[Any]) -> Reached:
    """Return the same run with fewer task instances."""
    return replace(item, rows=rows)


def _audit(place: Place, actor: str, extra: dict[str, Any]) -> None:
    run = place.run
    ids: dict[str, Any] = {"dag_id": run.dag_id, "run_id": run.run_id, "logical_date": run.logical_date}
    if place.kind == "task":
        ids |= {"task_id": place.name, "map_index": place.map_index}
    event = "clear_dag_run" if place.kind == "run" else "post_clear_task_instances"
    named = {} if place.markers is None else {"task_ids": list(place.markers)}
    audit_write(event, actor=actor, extra={"dag_run_id": run.run_id, **named, **extra}, **ids)


def _show(request: HttpRequest, place: Place, form: ClearForm, seen: Affected, error: str, status: int) -> HttpResponse:
    added: tuple[str, ...] = ()
    if form.mode == "new" and not error:
        try:
            added = new_tasks(place.run)
        except (VersionUnavailableError, SpecUnreadableError) as refusal:
            error = str(refusal)
    context = {
        "place": place,
        "form": form,
        "seen": seen,
        "error": error,
        "added": added,
        "versions": versions_of(place.run),
        "next": way_back(request, place.path),
        "unticked": _unticked(request, seen),
    }
    return render(request, "runs/clear.html", context, status=status)


def _unticked(request: HttpRequest, seen: Affected) -> frozenset[str]:
    """The boxes that the person took out, where the form comes back."""
    if request.method != "POST" or request.POST.get("boxes") != "yes":
        return frozenset()
    ticked = set(request.POST.getlist("row"))
    return frozenset(str(row.pk) for run in seen.runs for task in run.tasks for row in task.rows if str(row.pk) not in ticked)
