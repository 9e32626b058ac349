"""Decides what all tabs of a task instance have in common: which try is shown, and where a mapped task leads."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.views import View, page
from runs.models import AttemptFields
from runs.pages.ti_address import chosen_try, path_of_task, tries_or_404

Build = Callable[[HttpRequest, AttemptFields, list[AttemptFields]], dict[str, Any]]


def instance_page(template: str) -> Callable[[Build], View]:
    """Decorate what gives a tab its context: ``build(request, ti, tries)``."""

    def decorate(build: Build) -> View:
        @wraps(build)
        def shown(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponseBase:
            tries = tries_or_404(dag_id, run_id, task_id, map_index)
            if not tries:
                return redirect(path_of_task("ti_mapped", dag_id, run_id, task_id))
            ti = chosen_try(tries, request.GET.get("try"))
            return render(request, template, {"ti": ti, "tries": tries, **build(request, ti, tries)})

        return require_GET(page()(shown))

    return decorate
