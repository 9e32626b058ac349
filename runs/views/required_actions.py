"""Decides the inbox of questions that tasks ask people, on its own and as a tab of a DAG, a run and a task instance."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import Verdict, access_of
from accounts.roles import Role
from accounts.tokens import is_open_access
from accounts.views import page
from orchestrator.ui.returning import way_back
from runs.hitl.answers import answer_take
from runs.hitl.services import AlreadyAnsweredError, InvalidAnswerError, NotRespondentError
from runs.models import HITLDetail
from runs.pages.inbox import AnswerForm, Where, first_answer, inbox_of, question_find, sent_answer
from runs.pages.places import instance_or_404
from runs.pages.rows import run_find
from runs.views.dag_switches import dag_with_head


@require_GET
@page()
def required_actions(request: HttpRequest) -> HttpResponse:
    """Show all questions."""
    return _show(request, Where(), {"kind": "all"})


@require_GET
@page()
def dag_required_actions(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show the questions of a DAG."""
    dag = dag_with_head(request, dag_id)
    return _show(request, Where(dag_id), {"kind": "dag", "dag": dag})


@require_GET
@page()
def run_required_actions(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Show the questions of a run, answered ones too."""
    run = _run(dag_id, run_id)
    return _show(request, Where(dag_id, run_id), {"kind": "run", "run": run})


@require_GET
@page()
def ti_required_actions(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> HttpResponse:
    """Show the question of a task instance."""
    ti = instance_or_404(_run(dag_id, run_id), task_id, map_index)
    return _show(request, Where(dag_id, run_id, task_id, map_index), {"kind": "instance", "ti": ti, "run": ti.dag_run})


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.USER)
def required_action_answer(request: HttpRequest, ti_id: str) -> HttpResponse:
    """Take an answer and lead on to the next question; a visit leads to the form."""
    question = question_find(ti_id)
    if question is None:
        raise Http404("There is no such question any more: its task was cleared, or its run is deleted")
    here = f"{reverse('required_actions')}?show=all&id={question.pk}"
    if request.method != "POST":
        return redirect(here)
    form = sent_answer(question, request.POST)
    if not form.is_wrong:
        try:
            _take(request, form)
        except AlreadyAnsweredError:
            messages.warning(request, f"“{question.subject}” was answered before you: the first answer counts.")
            return redirect(here)
        except NotRespondentError:
            form.problem = f"This is asked of {', '.join(_people(question))}; you cannot answer it."
        except InvalidAnswerError as refusal:
            form.problem = str(refusal)
        else:
            messages.success(request, f"“{question.subject}” is answered: {', '.join(form.chosen)}.")
            return redirect(way_back(request, reverse("required_actions")))
    return _show(request, Where(), {"kind": "all"}, form, status=422)


def _take(request: HttpRequest, form: AnswerForm) -> None:
    attempt = form.question.task_instance  # type: ignore[attr-defined]
    user = request.user.get_username()
    answer_take(attempt, user=user, may_all=is_open_access(), chosen=form.chosen, params_input=form.values)


def _run(dag_id: str, run_id: str) -> Any:
    run = run_find(dag_id, run_id)
    if run is None:
        raise Http404(f"DAG {dag_id} has no run {run_id}")
    return run


def _show(
    request: HttpRequest, where: Where, context: dict[str, Any], form: AnswerForm | None = None, status: int = 200
) -> HttpResponse:
    query = request.GET.copy()
    if where.run_id is not None and "show" not in query:
        query["show"] = "all"
    inbox = inbox_of(where, query)
    if form is None:
        form = _form(request, inbox.rows[0] if inbox.rows else None)
    more: dict[str, Any] = {"inbox": inbox, "form": form, "is_chosen": "id" in request.GET or status != 200}
    if form is not None:
        more |= _rights(request, form.question)
    return render(request, "runs/required_actions.html", {**context, **more}, status=status)


def _form(request: HttpRequest, first: HITLDetail | None) -> AnswerForm | None:
    """The form of the question that the address names, else of the first of the list."""
    key = request.GET.get("id") or (first.pk if first is not None else None)
    question = question_find(key) if key else None
    return first_answer(question) if question is not None else None


def _rights(request: HttpRequest, question: HITLDetail) -> dict[str, Any]:
    """Whether this person may answer, and else in words why not."""
    dag_id = question.task_instance.dag_id  # type: ignore[attr-defined]
    people, me = _people(question), request.user.get_username()
    is_mine = not question.assignees or is_open_access() or me in {person["id"] for person in question.assignees}
    may_run = access_of(request.user).on_dag(Role.USER, dag_id) is Verdict.GRANTED
    return {"people": people, "is_mine": is_mine, "may_answer": is_mine and may_run and question.responded_at is None}


def _people(question: HITLDetail) -> list[str]:
    return [str(person.get("name") or person.get("id")) for person in question.assignees or []]
