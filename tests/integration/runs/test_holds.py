"""C21-c: a held run or task instance does not begin, uses no slot, says so, and goes on when released or when its time is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import DagRun, Hold, TaskInstance
from runs.services_hold import HoldRefusedError, hold_place, hold_release
from tests.factories import make_dag, make_run
from tests.integration.runs.harness import Rounds, spec_of_edges, states, trigger

pytestmark = pytest.mark.django_db


def hold(run: DagRun, **place: object) -> Hold:
    with transaction.atomic():
        return hold_place(run, by="ann", now=utcnow(), reason="look first", **place)  # type: ignore[arg-type]


def release(held: Hold) -> None:
    with transaction.atomic():
        hold_release(held)


def test_c21c_a_held_task_waits_without_a_slot_while_its_neighbour_runs() -> None:
    run = trigger(spec_of_edges("d", {"a": [], "b": []}))
    rounds = Rounds()
    held = hold(run, task_id="a")
    assert rounds.complete() == [["b"]]
    ti = TaskInstance.objects.get(task_id="a")
    assert (ti.state, ti.wait_reason, ti.wait_detail["by"], ti.wait_detail["reason"]) == (None, "held", "ann", "look first")
    release(held)
    assert rounds.complete() == [["a"]]
    run.refresh_from_db()
    assert run.state == "success"
    assert TaskInstance.objects.get(task_id="a").wait_reason is None


def test_c21c_a_task_that_waits_for_slots_already_can_be_held() -> None:
    run = trigger(spec_of_edges("d", {"a": [], "b": ["a"]}))
    rounds = Rounds()
    rounds.executor.owner_id, owner = None, rounds.executor.owner_id  # no worker: a is scheduled and not handed over
    rounds.run()
    assert states(run)["a"] == "scheduled"
    held = hold(run, task_id="a")
    rounds.executor.owner_id = owner
    rounds.run()
    assert not rounds.executor.handed
    assert TaskInstance.objects.get(task_id="a").wait_reason == "held"
    release(held)
    assert rounds.complete() == [["a"], ["b"]]


def test_c21c_a_held_run_lets_its_running_task_end_and_begins_no_other() -> None:
    run = trigger(spec_of_edges("d", {"a": [], "b": ["a"]}))
    rounds = Rounds()
    rounds.run()
    held = hold(run)
    assert rounds.work() == ["a"]
    assert rounds.complete() == []
    run.refresh_from_db()
    assert (run.state, run.wait_reason, run.wait_detail["by"]) == ("running", "held", "ann")
    assert states(run) == {"a": "success", "b": None}
    release(held)
    assert rounds.complete() == [["b"]]
    run.refresh_from_db()
    assert (run.state, run.wait_reason) == ("success", None)


def test_c21c_a_queued_run_that_is_held_does_not_start_and_takes_no_place_of_another() -> None:
    run = trigger(spec_of_edges("d", {"a": []}), max_active_runs=1)
    other = make_run(run.dag, "other", state="queued", run_after=utcnow())
    held = hold(run)
    rounds = Rounds()
    assert rounds.complete() == [["a"]]
    run.refresh_from_db()
    other.refresh_from_db()
    assert (run.state, other.state) == ("queued", "success")
    release(held)
    assert rounds.complete() == [["a"]]


def test_c21c_a_hold_ends_at_its_time_by_itself() -> None:
    run = trigger(spec_of_edges("d", {"a": []}))
    held = hold(run, until=utcnow() + timedelta(hours=1))
    rounds = Rounds()
    assert rounds.complete() == []
    Hold.objects.filter(pk=held.pk).update(until=utcnow() - timedelta(seconds=1))
    assert rounds.complete() == [["a"]]
    assert not Hold.objects.exists()


def test_c21c_an_empty_task_that_is_held_does_not_succeed_without_a_worker() -> None:
    run = trigger(DagSpec(dag_id="d", tasks=[TaskSpec("a", is_empty=True)]))
    held = hold(run, task_id="a")
    rounds = Rounds()
    rounds.complete()
    assert states(run) == {"a": None}
    release(held)
    rounds.complete()
    assert states(run) == {"a": "success"}


def test_c21c_another_scheduler_keeps_the_hold() -> None:
    run = trigger(spec_of_edges("d", {"a": []}))
    hold(run, task_id="a")
    Rounds().run()
    DagRun.objects.update(scheduler_id=None)
    other = Rounds()
    assert other.complete() == []
    assert states(run) == {"a": None}


def test_c21c_nothing_of_a_finished_run_is_held() -> None:
    run = make_run(make_dag(), state="success")
    with pytest.raises(HoldRefusedError, match="finished"):
        hold(run)


def test_without_holds_no_task_costs_a_query_more(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    rounds = Rounds()
    duty = next(e.duty for e in rounds.service._scheduled if e.duty.name == "follow_holds")
    with django_assert_max_num_queries(1):
        for _ in range(50):
            duty.run_once(10)


def test_c21a_a_hold_on_a_cleared_task_does_not_let_it_begin_before_its_old_process_is_gone() -> None:
    from runs import transitions

    run = trigger(spec_of_edges("d", {"t": []}))
    rounds = Rounds()
    rounds.run()
    (handed,) = rounds.executor.handed
    rounds.begin([handed])
    rounds.executor.handed.clear()
    with transaction.atomic():
        transitions.clear([handed.ti_id], now=utcnow(), actor="ann")
    held = hold(run, task_id="t")
    rounds.run()
    release(held)
    assert rounds.complete() == []
    rounds.let_due()
    assert rounds.complete() == [["t"]]
