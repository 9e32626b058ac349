"""Deferred tasks between scheduler, triggerer and worker: exactly one resumption, whoever ends the wait."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import transaction

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs import transitions
from runs.models import DagRun, StateChange, TaskInstance, Trigger, XCom
from runs.reports import Deferral
from runs.trigger_kwargs import kwargs_opened, kwargs_sealed
from tests.integration.runs.harness import Rounds, states, trigger
from tests.integration.triggerer.lanes import Triggerer

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = '{"password": "hunter2"}'


class Waiting:
    """A scheduler with one run whose tasks defer as soon as a worker has them."""

    def __init__(self, tasks: int = 1, timeout: datetime | None = None, **fields: Any) -> None:
        specs = [TaskSpec(task_id=f"t{number}", **fields) for number in range(tasks)]
        self.rounds = Rounds()
        self.run = trigger(DagSpec(dag_id="d", tasks=specs))
        self.timeout = timeout
        self.defer()

    def defer(self) -> None:
        """Have a worker start what is queued and defer it."""
        self.rounds.run()
        handed, self.rounds.executor.handed = self.rounds.executor.handed, []
        self.rounds.begin(handed)
        with transaction.atomic():
            answers = transitions.defer(
                [
                    Deferral(h.ti_id, h.dispatch_id, "m.T", SECRET, "done", {"mine": 1}, trigger_timeout=self.timeout)
                    for h in handed
                ],
                now=utcnow(),
            )
        assert all(answer.won for answer in answers.values())

    def triggers(self) -> list[int]:
        """Return the ids of all triggers."""
        return list(Trigger.objects.order_by("id").values_list("id", flat=True))

    def ti(self, task_id: str = "t0") -> TaskInstance:
        """Return a task instance as it is now."""
        return TaskInstance.objects.get(dag_run=self.run, task_id=task_id)

    def goes_on(self) -> list[dict[str, Any]]:
        """Return what a worker is told of each attempt that is handed over now: next method and arguments."""
        self.rounds.run()
        handed, self.rounds.executor.handed = self.rounds.executor.handed, []
        self.rounds.begin(handed)
        rows = TaskInstance.objects.in_bulk([h.ti_id for h in handed])
        return [{"next_method": row.next_method, "next_kwargs": row.next_kwargs, "try": row.try_number} for row in rows.values()]


def test_an_event_resumes_its_task_in_the_same_try_under_a_new_dispatch() -> None:
    """C15-c."""
    waiting, triggerer = Waiting(), Triggerer()
    before = waiting.ti()
    triggerer.look()
    (trigger_id,) = waiting.triggers()
    triggerer.say("Event", trigger_id, payload={"a": 1})
    assert waiting.triggers() == []
    assert waiting.ti().state == "scheduled"
    assert waiting.goes_on() == [{"next_method": "done", "next_kwargs": {"mine": 1, "event": {"a": 1}}, "try": 1}]
    assert waiting.ti().id == before.id
    assert waiting.ti().dispatch_id != before.dispatch_id


def test_an_event_said_twice_or_by_two_triggerers_counts_once() -> None:
    """C15-c."""
    waiting, first, second = Waiting(), Triggerer(), Triggerer()
    first.look()
    (trigger_id,) = waiting.triggers()
    Trigger.objects.update(lease_until=utcnow() - timedelta(seconds=1))
    second.look()
    assert second.lanes.running == {trigger_id}
    first.say("Event", trigger_id, payload=1)
    second.say("Event", trigger_id, payload=2)
    first.say("Event", trigger_id, payload=3)
    (went_on,) = waiting.goes_on()
    assert went_on["next_kwargs"]["event"] == 1
    assert StateChange.objects.filter(from_state="deferred").count() == 1


def test_a_trigger_runs_in_one_triggerer_while_its_lease_lives() -> None:
    """C15-b."""
    waiting, first, second = Waiting(tasks=3), Triggerer(), Triggerer()
    first.look()
    second.look()
    assert first.lanes.running == set(waiting.triggers())
    assert second.lanes.running == set()


def test_the_triggers_of_a_dead_triggerer_are_taken_over_at_once() -> None:
    waiting, first, second = Waiting(tasks=2), Triggerer(), Triggerer()
    first.look()
    first.die()
    second.look()
    assert second.lanes.running == set(waiting.triggers())


def test_a_trigger_that_moved_away_is_stopped_without_its_kill_path() -> None:
    """C15-b."""
    waiting, first, second = Waiting(), Triggerer(), Triggerer()
    first.look()
    Trigger.objects.update(lease_until=utcnow() - timedelta(seconds=1))
    second.look()
    first.look()
    assert first.lane.of_type("Stop") == [{"type": "Stop", "id": waiting.triggers()[0], "reason": "moved"}]


@pytest.mark.parametrize("how", ["clear", "mark"])
def test_a_task_that_a_person_takes_out_of_its_wait_cancels_the_trigger(how: str) -> None:
    waiting, triggerer = Waiting(), Triggerer()
    triggerer.look()
    (trigger_id,) = waiting.triggers()
    with transaction.atomic():
        if how == "clear":
            transitions.clear([waiting.ti().id], now=utcnow(), actor="somebody")
        else:
            transitions.mark([waiting.ti().id], "failed", now=utcnow(), actor="somebody")
    assert waiting.triggers() == []
    triggerer.look()
    assert triggerer.lane.of_type("Stop") == [{"type": "Stop", "id": trigger_id, "reason": "cancelled"}]
    triggerer.say("Event", trigger_id, payload=1)
    assert waiting.ti().state in (None, "failed")


def test_a_failed_trigger_fails_its_task_through_a_worker_and_no_other() -> None:
    """C15-e."""
    waiting, triggerer = Waiting(tasks=2), Triggerer()
    triggerer.look()
    bad, good = waiting.triggers()
    triggerer.say("Failed", bad, traceback=["Traceback", "boom"])
    (went_on,) = waiting.goes_on()
    expected = {"error": "Trigger failure", "traceback": ["Traceback", "boom"]}
    assert (went_on["next_method"], went_on["next_kwargs"]) == ("__fail__", expected)
    assert triggerer.lanes.running == {good}


def test_an_overdue_wait_is_resumed_as_failed_and_its_trigger_stopped_as_expired() -> None:
    waiting, triggerer = Waiting(timeout=utcnow() - timedelta(seconds=1)), Triggerer()
    triggerer.look()
    (trigger_id,) = waiting.triggers()
    (went_on,) = waiting.goes_on()
    assert (went_on["next_method"], went_on["next_kwargs"]) == ("__fail__", {"error": "Trigger timeout"})
    triggerer.look()
    assert triggerer.lane.of_type("Stop") == [{"type": "Stop", "id": trigger_id, "reason": "expired"}]


def test_an_event_that_came_before_the_timeout_wins_however_long_the_slot_takes() -> None:
    """C15-d."""
    waiting, triggerer = Waiting(timeout=utcnow() + timedelta(hours=1)), Triggerer()
    triggerer.look()
    triggerer.say("Event", waiting.triggers()[0], payload=1)
    row = waiting.ti()
    assert (row.state, row.trigger_timeout) == ("scheduled", None)


@pytest.mark.parametrize("state", ["success", "skipped", "failed"])
def test_an_event_can_end_the_task_without_a_worker(state: str) -> None:
    waiting, triggerer = Waiting(), Triggerer()
    triggerer.look()
    triggerer.say("Ended", waiting.triggers()[0], state=state, xcoms={"k": [1]})
    waiting.rounds.run()
    assert states(waiting.run) == {"t0": state}
    assert waiting.rounds.executor.handed == []
    assert [json.loads(xcom.value) for xcom in XCom.objects.all()] == [[1]]
    assert DagRun.objects.get().state == ("failed" if state == "failed" else "success")


def test_a_failure_from_the_trigger_uses_the_tasks_retries() -> None:
    waiting, triggerer = Waiting(retries=1), Triggerer()
    triggerer.look()
    triggerer.say("Ended", waiting.triggers()[0], state="failed", xcoms={"k": 1})
    row = waiting.ti()
    assert (row.state, row.next_method, row.trigger_id, XCom.objects.count()) == ("up_for_retry", None, None, 0)


def test_arguments_are_encrypted_in_the_row_and_clear_only_in_the_start_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conf._values, ("core", "fernet_key"), Fernet.generate_key().decode())
    _waiting, triggerer = Waiting(), Triggerer()
    assert "hunter2" not in Trigger.objects.get().encrypted_kwargs
    triggerer.look()
    assert triggerer.lane.of_type("Start")[0]["kwargs"] == SECRET


def test_arguments_that_no_key_opens_fail_their_task_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """I4."""
    monkeypatch.setitem(conf._values, ("core", "fernet_key"), Fernet.generate_key().decode())
    waiting, triggerer = Waiting(tasks=2), Triggerer()
    bad, good = waiting.triggers()
    Trigger.objects.filter(id=bad).update(encrypted_kwargs=Fernet(Fernet.generate_key()).encrypt(b"{}").decode())
    triggerer.look()
    triggerer.look()
    (went_on,) = waiting.goes_on()
    assert "no key of [core] fernet_key" in "".join(went_on["next_kwargs"]["traceback"])
    assert triggerer.lanes.running == {good}


def test_text_that_a_worker_has_encrypted_itself_is_kept_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Fernet.generate_key()
    monkeypatch.setitem(conf._values, ("core", "fernet_key"), key.decode())
    token = Fernet(key).encrypt(b'{"a": 1}').decode()
    assert kwargs_sealed(token) == token
    assert kwargs_opened(token) == '{"a": 1}'


def test_a_stopped_triggerer_gives_its_triggers_back_at_once() -> None:
    waiting, first, second = Waiting(tasks=2), Triggerer(), Triggerer()
    first.look()
    first.claims.release()
    second.look()
    assert second.lanes.running == set(waiting.triggers())


def test_capacity_bounds_what_one_triggerer_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conf._values, ("triggerer", "capacity"), 2)
    waiting, first, second = Waiting(tasks=3), Triggerer(), Triggerer()
    first.look()
    second.look()
    assert (len(first.lanes.running), len(second.lanes.running)) == (2, 1)
    assert first.lanes.running | second.lanes.running == set(waiting.triggers())


def test_a_payload_that_the_database_refuses_fails_its_task_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """I4."""
    waiting, triggerer = Waiting(tasks=2), Triggerer()
    triggerer.look()
    bad, good = waiting.triggers()
    resume = transitions.resume

    def refuse(items: Any, *, now: datetime) -> Any:
        if any(item.event == "poison" for item in items):
            raise ValueError("refused")
        return resume(items, now=now)

    monkeypatch.setattr(transitions, "resume", refuse)
    triggerer.lane.says += [
        {"type": "Event", "id": bad, "payload": "poison"},
        {"type": "Event", "id": good, "payload": "fine"},
    ]
    triggerer.look()
    told = sorted((went_on["next_method"], went_on["next_kwargs"].get("event")) for went_on in waiting.goes_on())
    assert told == [("__fail__", None), ("done", "fine")]


def test_a_trigger_without_a_waiting_task_is_removed() -> None:
    waiting, triggerer = Waiting(), Triggerer()
    TaskInstance.objects.filter(dag_run=waiting.run).delete()
    triggerer.look()
    assert (waiting.triggers(), triggerer.lanes.running) == ([], set())


def test_a_resumed_task_gets_its_slot_before_first_starts_of_any_priority() -> None:
    """C15-d."""
    waiting, triggerer = Waiting(), Triggerer()
    triggerer.look()
    triggerer.say("Event", waiting.triggers()[0], payload=1)
    trigger(DagSpec(dag_id="urgent", tasks=[TaskSpec(task_id="first", priority_weight_total=1000)]))
    waiting.rounds.run()
    assert [handed.workload["ti"]["task_id"] for handed in waiting.rounds.executor.handed] == ["t0", "first"]


def test_a_task_that_starts_in_its_trigger_needs_no_worker_before_the_event() -> None:
    args = {"trigger_cls": "m.T", "trigger_kwargs": {"a": 1}, "next_method": "done", "next_kwargs": None, "timeout": 60.0}
    rounds, triggerer = Rounds(), Triggerer()
    run = trigger(DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t", start_from_trigger=True, start_trigger_args=args)]))
    rounds.run()
    assert (states(run), rounds.executor.handed) == ({"t": "deferred"}, [])
    triggerer.look()
    assert triggerer.lane.of_type("Start")[0]["kwargs"] == '{"a": 1}'
    triggerer.say("Event", Trigger.objects.get().pk, payload="now")
    assert rounds.complete() == [["t"]]
    row = TaskInstance.objects.get()
    assert (row.state, row.try_number, row.next_method, row.next_kwargs) == ("success", 1, "done", {"event": "now"})


def test_each_try_of_a_task_that_starts_in_its_trigger_starts_there() -> None:
    args = {"trigger_cls": "m.T", "trigger_kwargs": {}, "next_method": "done", "next_kwargs": None, "timeout": None}
    spec = TaskSpec(task_id="t", start_from_trigger=True, start_trigger_args=args, retries=1, retry_delay=0.0)
    rounds, triggerer, run = Rounds(), Triggerer(), trigger(DagSpec(dag_id="d", tasks=[spec]))
    rounds.run()
    first = Trigger.objects.get().pk
    triggerer.look()
    triggerer.say("Event", first, payload=1)
    rounds.run()
    rounds.work("up_for_retry")
    rounds.let_due()
    rounds.run()
    assert (states(run), rounds.executor.handed) == ({"t": "deferred"}, [])
    second = Trigger.objects.get().pk
    assert second != first
    triggerer.look()
    triggerer.say("Event", second, payload=2)
    rounds.complete()
    row = TaskInstance.objects.get()
    assert (row.state, row.try_number, row.next_kwargs) == ("success", 2, {"event": 2})
