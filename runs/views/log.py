"""Decides the page of a try with its log, and the parts of the log that the page asks for while one reads.

``?try=`` chooses the try, ``?at=`` a byte of its log, or ``error`` for its first error; without it the page has the end.
``?fragment=`` gives JSON: ``after``, ``before`` or ``around`` a byte, ``error`` or ``find`` with ``q`` from a byte on.
``?download=txt`` or ``jsonl`` gives the whole log.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.views import page
from orchestrator.templatetags.shown import zoned
from runs import log_search
from runs.log_window import Window, after, around, before, tail
from runs.logs import LogPathError, log_file, log_source
from runs.models import AttemptFields
from runs.pages.log_html import LEVELS, lines_html
from runs.pages.rows import is_over
from runs.pages.ti_address import chosen_try, ended_tries, path_of_task, tries_or_404
from runs.pages.ti_cause import cause_of
from runs.states import FINISHED
from runs.views.log_download import FORMATS, download

LONGEST_SEARCH = 1000


@require_GET
@page()
def log_detail(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponseBase:
    """Show the log of a try, or a part of it."""
    is_part = "fragment" in request.GET or "download" in request.GET
    tries = tries_or_404(dag_id, run_id, task_id, map_index, with_head=not is_part)
    if not tries:
        return redirect(path_of_task("ti_mapped", dag_id, run_id, task_id))
    log = _Log.of(chosen_try(tries, request.GET.get("try")))
    if kind := request.GET.get("download"):
        if kind not in FORMATS:
            raise Http404(f"A log can be had as {' or '.join(FORMATS)}, not as {kind}.")
        return download(log.path, log.attempt, kind)
    if fragment := request.GET.get("fragment"):
        return _fragment(request, log, fragment)
    return _whole(request, log, tries)


@dataclass(frozen=True, slots=True)
class _Log:
    """A try and the file of its log."""

    attempt: AttemptFields
    path: Path
    is_over: bool

    @classmethod
    def of(cls, attempt: AttemptFields) -> _Log:
        try:
            return cls(attempt, log_file(attempt), is_over(attempt))
        except LogPathError as error:
            raise Http404(str(error)) from error

    def html(self, window: Window) -> str:
        start = self.attempt.start_date
        return lines_html(window.lines, window.number, self.attempt.try_number, zoned(start).date() if start else None)


def _whole(request: HttpRequest, log: _Log, tries: list[AttemptFields]) -> HttpResponse:
    place = request.GET.get("at", "0" if "all" in request.GET else "")
    window, at, missing = _window(log, place)
    context = {
        "ti": log.attempt,
        "tries": tries,
        "window": window,
        "lines": log.html(window),
        "log_path": log.path if log.attempt.try_number else "",
        "absent": _absent(log) if not window.size else "",
        "is_live": not log.is_over,
        "missing": missing,
        "at": window.lines and at,
        "cause": cause_of(log.attempt, window),
        "levels": [(level, level in request.GET.getlist("level") or "level" not in request.GET) for level in LEVELS],
        "searched": request.GET.get("q", ""),
        "has_tries": len(ended_tries(tries)) > 1,
    }
    return render(request, "runs/log_detail.html", context)


def _window(log: _Log, place: str) -> tuple[Window, str, str]:
    """The lines to begin with, the byte of the line to show among them, and what could not be found of what was asked for."""
    missing = ""
    if place == "error":
        found = log_search.find_error(log.path)
        place = str(found.positions[0]) if found.positions else ""
        missing = "" if place else "No error was found in the log" + ("." if found.complete else " so far.")
    if place.isdecimal() and len(place) < 16:
        return around(log.path, int(place), is_over=log.is_over), place, missing
    return tail(log.path, is_over=log.is_over), "", missing


def _absent(log: _Log) -> str:
    """Why there is nothing to show, in words."""
    attempt = log.attempt
    if attempt.try_number == 0 and attempt.state in FINISHED:
        return f"The task did not run ({(attempt.state or '').replace('_', ' ')}), so there is no log."
    if attempt.try_number == 0:
        return "The task has not begun a try yet; its log appears here when it does."
    said = log_source(log.path, log.path.is_file(), attempt.end_date if log.is_over else None)[2:]
    return str(said[0]["event"]) if said else "The log is empty so far." if not log.is_over else "The try wrote nothing."


def _fragment(request: HttpRequest, log: _Log, kind: str) -> HttpResponse:
    place = _number(request, "position")
    if kind in ("find", "error"):
        text = request.GET.get("q", "")[:LONGEST_SEARCH]
        found = log_search.find_error(log.path, place) if kind == "error" else log_search.find_text(log.path, text, place)
        size = log.path.stat().st_size if log.path.is_file() else 0
        return JsonResponse({"positions": found.positions, "scanned": found.scanned, "complete": found.complete, "size": size})
    reads: dict[str, Any] = {
        "after": lambda: after(log.path, place, _number(request, "number") or None, is_over=log.is_over),
        "before": lambda: before(log.path, place),
        "around": lambda: around(log.path, place, is_over=log.is_over),
        "tail": lambda: tail(log.path, is_over=log.is_over),
    }
    if kind not in reads:
        raise Http404(f"A log has no part {kind}")
    window = reads[kind]()
    body: dict[str, Any] = {"html": log.html(window), "start": window.start, "end": window.end, "size": window.size}
    body |= {"count": len(window.lines), "number": window.number, "live": not log.is_over or window.has_more}
    return JsonResponse(body)


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 16 else 0
