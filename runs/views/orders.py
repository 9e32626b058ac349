"""Decides the small orders about a run or a task instance: stop, hold, release, retry now, give up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec
from runs.models import DagRun, Hold, TaskInstance
from runs.pages.affected import FormRefusedError
from runs.pages.form_times import TimeUnreadableError, instant_given
from runs.pages.places import Place, instance_or_404, run_or_404
from runs.retry_orders import NotWaitingError, give_up, outlook, retry_now
from runs.services_hold import HoldRefusedError, hold_place, hold_release
from runs.services_mark import run_stop as stop
from runs.views.clear import form_methods
from runs.views.confirming import Question, asked

_TO_STOP = (
    "What runs is ended as failed; what has not begun is skipped; teardowns still run.",
    "The run stays failed until somebody clears or queues it.",
)
_TO_HOLD = "What runs goes on to its end; nothing else of it begins, and it takes no slot, until it is released."


@form_methods
@page(Role.USER)
def run_stop(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """End a run as failed, for good."""
    run = run_or_404(dag_id, run_id)
    actor = request.user.get_username()

    def act() -> None:
        before = run.state
        if not stop(run, actor=actor):
            raise FormRefusedError(f"Run {run_id} is finished ({before}): nothing is left to stop.")
        run.refresh_from_db()
        after = {"before": {"state": before}, "after": {"state": run.state}}
        audit_write("stop_dag_run", actor=actor, dag_id=dag_id, run_id=run_id, logical_date=run.logical_date, **after)

    question = Question(f"Stop run {run_id}", _TO_STOP, "Stop", f"Run {run_id} is stopped.", _path(run), run, is_danger=True)
    return asked(request, question, act)


@form_methods
@page(Role.USER)
def run_hold(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Let nothing of a run begin."""
    return _hold(request, run_or_404(dag_id, run_id), "", -1)


@form_methods
@page(Role.USER)
def run_release(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Let a run go on."""
    return _release(request, run_or_404(dag_id, run_id), "", -1)


@form_methods
@page(Role.USER)
def ti_hold(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponse:
    """Let a task, or one index of it, not begin."""
    return _hold(request, _with_task(dag_id, run_id, task_id, map_index), task_id, -1 if map_index is None else map_index)


@form_methods
@page(Role.USER)
def ti_release(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponse:
    """Let a task go on."""
    return _release(request, _with_task(dag_id, run_id, task_id, map_index), task_id, -1 if map_index is None else map_index)


@form_methods
@page(Role.USER)
def ti_retry_now(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponse:
    """Begin the next try at once."""
    row = instance_or_404(run_or_404(dag_id, run_id), task_id, map_index)
    left = f"The next try begins at once instead of at its time; {outlook(row).retries_left} may follow."
    question = _of_instance(row, "Retry now", left, "begins its next try now")
    return asked(request, question, lambda: _do(retry_now, row, request), (NotWaitingError,))


@form_methods
@page(Role.USER)
def ti_give_up(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponse:
    """Fail a task that waits for its next try."""
    row = instance_or_404(run_or_404(dag_id, run_id), task_id, map_index)
    question = _of_instance(row, "Give up", "The task fails now, without another try.", "has failed without another try")
    return asked(request, question, lambda: _do(give_up, row, request), (NotWaitingError,))


def _do(change: Any, row: TaskInstance, request: HttpRequest) -> None:
    change(row, actor=request.user.get_username())


def _of_instance(row: TaskInstance, verb: str, consequence: str, done: str) -> Question:
    place = _place(row.dag_run, row.task_id, row.map_index)
    return Question(f"{verb}: {place.label}", (consequence,), verb, f"{place.label} {done}.", place.path, row.dag_run)


def _hold(request: HttpRequest, run: DagRun, task_id: str, map_index: int) -> HttpResponse:
    place, actor = _place(run, task_id, map_index), request.user.get_username()

    def act() -> None:
        reason, until = request.POST.get("reason", "").strip()[:1000], _until(request)
        hold_place(run, by=actor, now=utcnow(), task_id=task_id, map_index=map_index, reason=reason, until=until)
        _audit("hold", run, task_id, map_index, actor, {"reason": reason, "until": until})

    held = f"{place.label} is held."
    question = Question(f"Hold {place.label}", (_TO_HOLD,), "Hold", held, place.path, run, holds=True)
    return asked(request, question, act, (HoldRefusedError,))


def _release(request: HttpRequest, run: DagRun, task_id: str, map_index: int) -> HttpResponse:
    place, actor = _place(run, task_id, map_index), request.user.get_username()
    hold = Hold.objects.filter(dag_run=run, task_id=task_id, map_index=map_index).first()

    def act() -> None:
        if hold is None:
            raise FormRefusedError(f"{place.label} is not held.")
        hold_release(hold)
        _audit("release", run, task_id, map_index, actor, None)

    why = f": {hold.reason}" if hold and hold.reason else ""
    said = f"Held by {hold.held_by}{why}. It goes on at once." if hold else "It is not held."
    return asked(request, Question(f"Release {place.label}", (said,), "Release", f"{place.label} goes on.", place.path, run), act)


def _until(request: HttpRequest) -> datetime | None:
    try:
        until = instant_given(request.POST.get("until", ""))
    except TimeUnreadableError as error:
        raise FormRefusedError(str(error)) from error
    if until is not None and until <= utcnow():
        raise FormRefusedError("The end of the hold is past: name a time to come, or none.")
    return until


def _with_task(dag_id: str, run_id: str, task_id: str, map_index: int | None) -> DagRun:
    run = run_or_404(dag_id, run_id)
    rows = TaskInstance.objects.filter(dag_run=run, task_id=task_id)
    if not (rows if map_index is None else rows.filter(map_index=map_index)).exists():
        raise Http404(f"Run {run_id} of DAG {dag_id} has no task instance {task_id}")
    return run


def _place(run: DagRun, task_id: str, map_index: int) -> Place:
    kind = "task" if task_id else "run"
    return Place(run, DagSpec(dag_id=run.dag_id), kind, task_id or run.run_id, None, map_index)


def _path(run: DagRun) -> str:
    return _place(run, "", -1).path


def _audit(event: str, run: DagRun, task_id: str, map_index: int, actor: str, extra: dict[str, Any] | None) -> None:
    ids: dict[str, Any] = {"dag_id": run.dag_id, "run_id": run.run_id, "task_id": task_id or None}
    audit_write(event, actor=actor, extra=extra, **ids, map_index=map_index if task_id else None)
