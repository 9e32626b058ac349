"""Decides how the form of one row (a connection, a variable, a pool) is shown, saved and written down in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.form_audit import form_sides, row_note
from orchestrator.ui.returning import way_back


def save_form(
    request: HttpRequest,
    form: Any,
    noun: str,
    template: str,
    list_route: str,
    more: dict[str, Any] | None = None,
    after: Callable[[], object] = bool,
) -> HttpResponse:
    """Save what was sent and lead back to the list; show the form on a visit, and with 422 where something is wrong.

    ``after`` is called in the transaction of the change.
    """
    is_new, back = form.instance.pk is None, way_back(request, reverse(list_route))
    if form.is_bound and form.is_valid():
        with transaction.atomic():
            sides = form_sides(form, getattr(form, "secrets", ()), is_new=is_new)
            if is_new or form.changed_data:
                row_note(f"{'post' if is_new else 'patch'}_{noun}", form.save(), actor=request.user.get_username(), **sides)
                after()
        messages.success(request, f"{noun.title()} {form.instance} is {'made' if is_new else 'saved'}.")
        return redirect(back)
    context = {"form": form, "is_new": is_new, "next": back, **(more or {})}
    return render(request, template, context, status=422 if form.is_bound else 200)
