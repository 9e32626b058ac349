"""Tasks that ask people, in a run: they hold no slot, go on ahead of first starts, and let the run end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs import transitions
from runs.executors.base import HandOver
from runs.hitl.services import question_answer, question_ask
from runs.models import DagRun, HITLDetail, Pool, TaskInstance
from runs.reports import InputWait
from tests.integration.runs.harness import Rounds, states, trigger
from tests.specs import dag, mapped

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = {"options": ["a", "b"], "subject": "Which?", "defaults": ["b"]}


def ask_all(rounds: Rounds, timeout: timedelta | None = None) -> list[HandOver]:
    """Have workers begin what is queued, ask, and let go."""
    handed, rounds.executor.handed = rounds.executor.handed, []
    rounds.begin(handed)
    now = utcnow()
    with transaction.atomic():
        for row in TaskInstance.objects.filter(pk__in=[h.ti_id for h in handed]):
            question_ask(row, QUESTION, now=now)
        until = now + timeout if timeout else None
        transitions.await_input([InputWait(h.ti_id, h.dispatch_id, "execute_complete", {}, until) for h in handed], now=now)
    return handed


def answer(ti_id: Any, choice: str = "a") -> None:
    with transaction.atomic():
        question_answer(ti_id, user="ann", may_all=True, chosen=[choice], params_input={}, now=utcnow())


def answered(run: DagRun) -> dict[int, Any]:
    rows = TaskInstance.objects.filter(dag_run=run, task_id="t").values_list("map_index", "next_kwargs")
    return {index: kwargs["event"]["chosen_options"] for index, kwargs in rows}


def test_a_run_waits_for_the_answer_without_a_slot_and_then_ends() -> None:
    Pool.objects.filter(pool="default_pool").update(slots=1)
    rounds = Rounds()
    run = trigger(dag("t >> u"))
    rounds.run()
    (handed,) = ask_all(rounds)
    other = trigger(DagSpec(dag_id="other", tasks=[TaskSpec(task_id="x")]))
    rounds.run()
    assert states(run) == {"t": "awaiting_input", "u": None}
    assert rounds.work() == ["x"]
    answer(handed.ti_id)
    assert rounds.complete() == [["t"], ["u"]]
    run.refresh_from_db()
    other.refresh_from_db()
    assert (run.state, other.state) == ("success", "success")
    assert list(TaskInstance.objects.filter(task_id="t").values_list("try_number", flat=True)) == [1]


def test_each_index_of_a_mapped_task_has_a_question_of_its_own() -> None:
    rounds = Rounds()
    run = trigger(dag("t", t=mapped(3)))
    rounds.run()
    handed = {h.workload["ti"]["map_index"]: h.ti_id for h in ask_all(rounds, timeout=timedelta(seconds=-1)) if h}
    with transaction.atomic():
        HITLDetail.objects.filter(ti_id__in=[handed[0], handed[2]]).update(expires_at=None)
    answer(handed[0], "a")
    rounds.run()
    assert states(run) == {"t[0]": "queued", "t[1]": "queued", "t[2]": "awaiting_input"}
    answer(handed[2], "a")
    rounds.complete()
    run.refresh_from_db()
    assert (run.state, answered(run)) == ("success", {0: ["a"], 1: ["b"], 2: ["a"]})


def test_an_answered_task_gets_its_slot_before_first_starts_of_any_priority() -> None:
    """C15-d."""
    Pool.objects.filter(pool="default_pool").update(slots=1)
    rounds = Rounds()
    trigger(DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t")]))
    rounds.run()
    (handed,) = ask_all(rounds)
    trigger(DagSpec(dag_id="busy", tasks=[TaskSpec(task_id="busy")]))
    rounds.run()
    answer(handed.ti_id)
    trigger(DagSpec(dag_id="urgent", tasks=[TaskSpec(task_id="first", priority_weight_total=1000)]))
    rounds.run()
    assert rounds.work() == ["busy"]
    rounds.run()
    assert [h.workload["ti"]["task_id"] for h in rounds.executor.handed] == ["t"]


def test_another_scheduler_that_takes_the_run_over_goes_on_with_the_answer() -> None:
    rounds = Rounds()
    run = trigger(DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t")]))
    rounds.run()
    (handed,) = ask_all(rounds)
    rounds.end()
    later = Rounds()
    later.run()
    assert states(run) == {"t": "awaiting_input"}
    answer(handed.ti_id)
    assert later.complete() == [["t"]]
    run.refresh_from_db()
    assert run.state == "success"
