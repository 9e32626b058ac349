"""Two answers, an answer and the end of the time, an answer and the worker that lets go: the task goes on exactly once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from orchestrator.kernel.clock import utcnow
from runs import transitions
from runs.hitl.services import AlreadyAnsweredError, question_answer, question_ask, question_expire
from runs.models import HITLDetail, StateChange, TaskInstance
from runs.reports import InputWait
from tests.concurrency.at_once import at_once, deadlocks
from tests.factories import make_dag, make_run, make_ti

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = range(4)
QUESTION = {"options": ["a", "b"], "subject": "Which?", "defaults": ["b"]}


def asked(*, waits: bool) -> TaskInstance:
    ti = make_ti(make_run(make_dag()), state="running")
    with transaction.atomic():
        question_ask(ti, QUESTION, now=utcnow())
        if waits:
            let_go(ti)()
    return ti


def let_go(ti: TaskInstance) -> Callable[[], Any]:
    until = utcnow() - timedelta(seconds=1)
    wait = InputWait(ti.pk, ti.dispatch_id, "execute_complete", {}, until)
    return lambda: transitions.await_input([wait], now=utcnow())[ti.pk].won


def answer(ti: TaskInstance, choice: str) -> Callable[[], Any]:
    def act() -> Any:
        try:
            question_answer(ti.pk, user=choice, may_all=True, chosen=[choice], params_input={}, now=utcnow())
        except AlreadyAnsweredError:
            return None
        return choice

    return act


def resumed() -> int:
    return StateChange.objects.filter(to_state="scheduled").count()


@pytest.mark.parametrize("_", TIMES)
def test_of_two_answers_one_counts(_: int) -> None:
    before = deadlocks()
    ti = asked(waits=True)
    (won,) = [choice for choice in at_once(answer(ti, "a"), answer(ti, "b")) if choice]
    row = TaskInstance.objects.get()
    assert (row.state, row.next_kwargs["event"]["chosen_options"], resumed()) == ("scheduled", [won], 1)
    assert HITLDetail.objects.get().chosen_options == [won]
    assert deadlocks() == before


@pytest.mark.parametrize("_", TIMES)
def test_an_answer_at_the_end_of_the_time_goes_on_once(_: int) -> None:
    before = deadlocks()
    ti = asked(waits=True)
    chosen, _expired = at_once(answer(ti, "a"), lambda: question_expire(ti.pk, now=utcnow()))
    row = TaskInstance.objects.get()
    assert (row.state, row.next_kwargs["event"]["chosen_options"], resumed()) == ("scheduled", ["a" if chosen else "b"], 1)
    assert deadlocks() == before


@pytest.mark.parametrize("_", TIMES)
def test_an_answer_while_the_worker_lets_go_is_never_lost(_: int) -> None:
    before = deadlocks()
    ti = asked(waits=False)
    assert at_once(let_go(ti), answer(ti, "a")) == [True, "a"]
    row = TaskInstance.objects.get()
    assert (row.state, row.next_kwargs["event"]["chosen_options"], resumed()) == ("scheduled", ["a"], 1)
    assert deadlocks() == before
