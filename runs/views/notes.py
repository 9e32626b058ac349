"""Decides the dialogs in which a note on a run or a task instance is read and written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from orchestrator.ui.returning import way_back
from orchestrator.ui.texts import markdown
from runs.models import DagRun
from runs.notes import set_notes, set_run_note
from runs.pages.affected import LONGEST_NOTE
from runs.pages.places import instance_or_404, run_or_404
from runs.views.clear import form_methods


@form_methods
@page(Role.USER)
def run_note(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Write the note of a run."""
    run, actor = run_or_404(dag_id, run_id), request.user.get_username()

    def keep(note: str) -> None:
        before = {"note": run.note}
        set_run_note(run, note, user=actor)
        ids: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id, "logical_date": run.logical_date}
        audit_write("patch_dag_run", actor=actor, extra={"note": note}, before=before, after={"note": run.note}, **ids)

    return _answer(request, run, f"run {run_id}", run.note, keep, reverse("run_detail", args=[dag_id, run_id]))


@form_methods
@page(Role.USER)
def ti_note(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponse:
    """Write the note of a task instance."""
    run, actor = run_or_404(dag_id, run_id), request.user.get_username()
    row = instance_or_404(run, task_id, map_index)

    def keep(note: str) -> None:
        before = {"note": row.note}
        set_notes([row], note, user=actor)
        ids: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": row.map_index}
        audit_write("patch_task_instance", actor=actor, extra={"note": note}, before=before, after={"note": row.note}, **ids)

    name = task_id if row.map_index < 0 else f"{task_id} [{row.map_index}]"
    args: list[Any] = [dag_id, run_id, task_id, *([row.map_index] if row.map_index >= 0 else [])]
    back = reverse("mapped_log_detail" if row.map_index >= 0 else "log_detail", args=args)
    return _answer(request, run, name, row.note, keep, back)


def _answer(
    request: HttpRequest, run: DagRun, label: str, present: str | None, keep: Callable[[str], None], back: str
) -> HttpResponse:
    note = request.POST.get("note", present or "").strip() if request.method == "POST" else request.GET.get("note", present or "")
    error = f"A note has at most {LONGEST_NOTE} characters; this one has {len(note)}." if len(note) > LONGEST_NOTE else ""
    if request.method == "POST" and not error:
        with transaction.atomic():
            keep(note)
        messages.success(request, f"The note on {label} is {'saved' if note else 'taken away'}.")
        return redirect(way_back(request, back))
    context = {"run": run, "label": label, "note": note, "shown": markdown(note), "error": error, "next": way_back(request, back)}
    return render(request, "runs/note.html", context, status=422 if error else 200)
