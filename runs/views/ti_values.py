"""Decides the dialogs that write and delete XComs and kept values of a task instance, by the rules of the REST API."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import View, page
from orchestrator.kernel.clock import utcnow
from orchestrator.rest.errors import ProblemError, RestError
from orchestrator.ui.returning import way_back
from runs.api import state_stores
from runs.api.xcom_changes import check_value
from runs.models import TaskInstance, XCom
from runs.pages.affected import FormRefusedError
from runs.pages.places import instance_or_404, run_or_404
from runs.pages.ti_address import args_of
from runs.pages.ti_values import pretty, scope_of
from runs.services_xcom import XComValue, xcom_delete, xcom_set
from runs.stores import default_expiry, task_value_set, task_values
from runs.views.clear import form_methods
from runs.views.confirming import Question, asked

LONGEST_KEY = 512
LONGEST_EDITED = 256 * 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """What is written: its word, its tab, and how one value is found, written and deleted."""

    noun: str
    tab: str
    find: Callable[[TaskInstance, str], str | None]
    write: Callable[[TaskInstance, str, Any, str, bool], None]
    delete: Callable[[TaskInstance, str, str], int]


def _xcom_find(row: TaskInstance, key: str) -> str | None:
    found = XCom.objects.filter(dag_run_id=row.dag_run_id, task_id=row.task_id, map_index=row.map_index, key=key).first()
    return None if found is None else found.value or ""


def _xcom_write(row: TaskInstance, key: str, value: Any, actor: str, is_new: bool) -> None:
    check_value(key, value)
    xcom_delete(row.dag_run_id, row.task_id, key, row.map_index)  # with the file of a large value that this replaces
    names = (row.dag_run_id, row.dag_id, row.run_id, row.task_id, row.map_index)
    xcom_set([XComValue(*names, key, value)], now=utcnow())
    _audit("create_xcom_entry" if is_new else "update_xcom_entry", row, key, actor)


def _xcom_delete(row: TaskInstance, key: str, actor: str) -> int:
    gone = xcom_delete(row.dag_run_id, row.task_id, key, row.map_index)
    if gone:
        _audit("delete_xcom_entry", row, key, actor)
    return gone


def _kept_find(row: TaskInstance, key: str) -> str | None:
    return task_values(scope_of(row), utcnow()).filter(key=key).values_list("value", flat=True).first()


def _kept_write(row: TaskInstance, key: str, value: Any, actor: str, is_new: bool) -> None:
    now = utcnow()
    present = task_values(scope_of(row), now).filter(key=key).values_list("expires_at", flat=True)
    until = default_expiry(now) if is_new else present.first()
    task_value_set(scope_of(row), key, state_stores.value(value), expires_at=until, now=now)
    _audit("set_task_state_store" if is_new else "patch_task_state_store", row, key, actor)


def _kept_delete(row: TaskInstance, key: str, actor: str) -> int:
    gone = task_values(scope_of(row), utcnow()).filter(key=key).delete()[0]
    if gone:
        _audit("delete_task_state_store", row, key, actor)
    return gone


def _audit(event: str, row: TaskInstance, key: str, actor: str) -> None:
    extra = {"key": key, "map_index": row.map_index, "run_id": row.run_id}
    ids: dict[str, Any] = {"dag_id": row.dag_id, "run_id": row.run_id, "task_id": row.task_id, "map_index": row.map_index}
    audit_write(event, actor=actor, extra=extra, **ids)


XCOM = Kind("an XCom", "ti_xcom", _xcom_find, _xcom_write, _xcom_delete)
KEPT = Kind("a value", "ti_state_store", _kept_find, _kept_write, _kept_delete)


def setting(kind: Kind) -> View:
    """Return the view that adds a value, or changes that of ``?key=``."""

    def set_value(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponse:
        row = instance_or_404(run_or_404(dag_id, run_id), task_id, map_index)
        key, present = request.GET.get("key", "").replace("\0", ""), None
        if key and (present := kind.find(row, key)) is None:
            raise Http404(f"Task {task_id} has no value {key} in run {run_id}")
        error, status = "", 200
        if request.method == "POST":
            try:
                said = _set(request, kind, row, key)
            except (FormRefusedError, RestError, ProblemError) as refusal:
                error, status = str(refusal.detail if isinstance(refusal, RestError) else refusal), 422
            else:
                messages.success(request, said)
                return redirect(way_back(request, _tab(kind, row)))
        context = {"ti": row, "key": key, "noun": kind.noun, "error": error, "next": way_back(request, _tab(kind, row))}
        context |= {"given_key": request.POST.get("key", ""), "value": request.POST.get("value", _editable(present))}
        return render(request, "runs/value_form.html", context, status=status)

    return form_methods(page(Role.USER)(set_value))


def _set(request: HttpRequest, kind: Kind, row: TaskInstance, key: str) -> str:
    name = key or request.POST.get("key", "").replace("\0", "").strip()
    if not name or len(name) > LONGEST_KEY:
        raise FormRefusedError(f"A key has 1 to {LONGEST_KEY} characters.")
    try:
        value = json.loads(request.POST.get("value", ""))
    except (ValueError, RecursionError) as error:
        raise FormRefusedError(f"This is not JSON: {error}. A text stands in double quotes.") from error
    with transaction.atomic():
        if not key and kind.find(row, name) is not None:
            raise FormRefusedError(f"There is a value {name} already: change that one, or choose another key.")
        kind.write(row, name, value, request.user.get_username(), not key)
    return f"{name} is saved."


def deleting(kind: Kind) -> View:
    """Return the view that deletes the value of ``?key=``."""

    def delete_value(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponse:
        row = instance_or_404(run_or_404(dag_id, run_id), task_id, map_index)
        key = request.GET.get("key", "").replace("\0", "")

        def act() -> None:
            if not kind.delete(row, key, request.user.get_username()):
                raise FormRefusedError(f"There is no value {key} any more.")

        what = (f"Tasks that read {key} from now on find nothing.", "This cannot be undone.")
        question = Question(f"Delete {key}", what, "Delete", f"{key} is deleted.", _tab(kind, row), row.dag_run, is_danger=True)
        return asked(request, question, act)

    return form_methods(page(Role.USER)(delete_value))


def _tab(kind: Kind, row: TaskInstance) -> str:
    return reverse(kind.tab, args=args_of(row))


def _editable(text: str | None) -> str:
    """The value as one edits it; one that is too long for that begins empty."""
    if text is None or len(text) > LONGEST_EDITED:
        return ""
    try:
        return pretty(json.loads(text))
    except ValueError:
        return text
