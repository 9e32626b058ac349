"""Decides how a small order asks before it is carried out: what happens, what cannot be undone, what else it wants to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from orchestrator.ui.returning import way_back
from runs.models import DagRun
from runs.pages.affected import FormRefusedError


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. ``typed``: a name that must be typed; ``holds``: asks for a reason and an end.

    ``back`` is where one goes on, ``gone`` the path that is no more then.
    """

    title: str
    consequences: tuple[str, ...]
    button: str
    done: str
    back: str
    run: DagRun | None = None
    is_danger: bool = False
    typed: str = ""
    holds: bool = False
    gone: str = ""


def asked(
    request: HttpRequest, question: Question, act: Callable[[], None], refusals: tuple[type[Exception], ...] = ()
) -> HttpResponse:
    """Ask on GET; on POST act in one transaction and lead on, or say why it was refused."""
    if request.method != "POST":
        return _show(request, question)
    if question.typed and request.POST.get("typed", "").strip() != question.typed:
        return _show(request, question, f"Type {question.typed} to confirm; that is not what was typed.")
    caught: tuple[type[Exception], ...] = (FormRefusedError, *refusals)
    try:
        with transaction.atomic():
            act()
    except caught as refusal:
        return _show(request, question, str(refusal), 409)
    messages.success(request, question.done)
    return redirect(way_back(request, question.back, gone=question.gone))


def _show(request: HttpRequest, question: Question, error: str = "", status: int = 422) -> HttpResponse:
    back = way_back(request, question.back, gone=question.gone)
    context = {"question": question, "error": error, "next": back, "given": request.POST}
    return render(request, "runs/confirm.html", context, status=status if error else 200)
