"""C09-a: which callback follows which end of an attempt, exactly once. ``docs/callbacks.md`` has the same table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from executionapi.operations.finishes import _evidence
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.execution.supervisor.endings import Exit, silent_end_body
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs import transitions
from runs.causes import Cause
from runs.executors.base import ExecutorEvent
from runs.models import Callback, DagRun, TaskInstance
from runs.reports import Report
from runs.resumptions import EndByTrigger
from runs.states import TaskInstanceState as S
from tests.factories import make_dag, make_lease, make_run, make_ti

pytestmark = pytest.mark.django_db

RETRY, FAILURE = "on_retry_callback", "on_failure_callback"
CALLBACKS: dict[str, Any] = {f"has_on_{name}_callback": True for name in ("execute", "failure", "success", "retry", "skipped")}


def attempt(retries: int, **fields: Any) -> TaskInstance:
    """A running first try of a task that has every callback."""
    spec = DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t", retries=retries, **CALLBACKS)])
    run = make_run(make_dag("d", spec))
    ti = make_ti(run, **{"state": "running", "max_tries": retries, "infra_tries": 99, "start_date": utcnow(), **fields})
    if ti.state == S.RUNNING:
        make_lease(ti)
    return ti


def events() -> list[tuple[str, str]]:
    """Kind and event of every delivery, in order."""
    return [(row.kind, row.payload["event"]) for row in Callback.objects.order_by("pk")]


def reported(ti: TaskInstance, body: dict[str, Any]) -> Report:
    """The report that the door makes of a body."""
    return Report(ti.pk, ti.dispatch_id, body["state"], utcnow(), **_evidence(body.get("evidence")))


def silent(ti: TaskInstance, cause: str, signal: int | None = None) -> Report:
    """What a supervisor reports of a process that is gone."""
    return reported(ti, silent_end_body(cause, "gone", Exit(None, signal), should_retry=ti.max_tries > 0))


def finish(ti: TaskInstance, report: Report) -> None:
    """Take the report twice, as a worker may repeat it."""
    for _ in range(2):
        with transaction.atomic():
            transitions.finish([report], now=utcnow())


@pytest.mark.parametrize(("retries", "expected"), [(0, FAILURE), (2, RETRY)])
@pytest.mark.parametrize("cause", ["signal", "out_of_memory", "execution_timeout", "exit_code", "host_died"])
def test_an_attempt_whose_process_is_gone_gets_its_callback_once(cause: str, retries: int, expected: str) -> None:
    ti = attempt(retries)
    finish(ti, silent(ti, cause, 9))
    assert events() == [("task_callback", expected)]
    payload = Callback.objects.get().payload
    assert payload["ti"]["try_number"] == 1 and payload["exception"] == "gone" and payload["cause"] == cause


@pytest.mark.parametrize(("retries", "state"), [(0, "failed"), (2, "up_for_retry")])
@pytest.mark.parametrize("cause", ["user_exception", "execution_timeout", "fail_exception"])
def test_a_process_that_reports_its_end_has_called_the_callback_itself(cause: str, retries: int, state: str) -> None:
    ti = attempt(retries)
    finish(ti, reported(ti, {"state": state, "evidence": {"cause": cause, "cause_detail": "boom"}}))
    assert events() == []


@pytest.mark.parametrize(("retries", "expected"), [(0, FAILURE), (2, RETRY)])
def test_a_lost_worker_leaves_the_callback_to_the_server(retries: int, expected: str) -> None:
    ti = attempt(retries)
    report = Report(ti.pk, ti.dispatch_id, S.FAILED, utcnow(), cause=Cause.LEASE_LOST, cause_detail="no heartbeat")
    for _ in range(2):
        with transaction.atomic():
            transitions.lose([report], now=utcnow())
    assert events() == [("task_callback", expected)]


def test_a_retry_out_of_the_infrastructure_budget_calls_the_retry_callback() -> None:
    ti = attempt(0, infra_tries=0)
    finish(ti, silent(ti, "host_died", 9))
    assert TaskInstance.objects.get().state == S.UP_FOR_RETRY
    assert events() == [("task_callback", RETRY)]


@pytest.mark.parametrize("retries", [0, 2])
def test_a_launch_that_can_never_succeed_calls_the_failure_callback(retries: int) -> None:
    ti = attempt(retries, state="queued")
    report = Report(ti.pk, ti.dispatch_id, S.FAILED, utcnow(), cause=Cause.LAUNCH_IMPOSSIBLE, cause_detail="no such executor")
    with transaction.atomic():
        transitions.fail_unstarted([report], now=utcnow())
    assert events() == [("task_callback", FAILURE)]


@pytest.mark.parametrize("cause", [Cause.LAUNCH_ERROR, Cause.QUEUE_TIMEOUT])
def test_a_hand_over_that_is_made_again_uses_no_try_and_calls_nothing(cause: str) -> None:
    ti = attempt(2, state="queued")
    with transaction.atomic():
        transitions.requeue({ti.pk: ti.dispatch_id}, now=utcnow(), cause=cause)
    assert events() == []


@pytest.mark.parametrize(
    ("state", "retries", "expected"),
    [("failed", 0, FAILURE), ("failed", 2, RETRY), ("success", 0, "on_success_callback"), ("skipped", 0, "on_skipped_callback")],
)
def test_a_trigger_that_ends_its_task_leaves_the_callback_to_the_server(state: str, retries: int, expected: str) -> None:
    ti = attempt(retries, state="deferred", trigger_id=7)
    with transaction.atomic():
        transitions.end_by_trigger([EndByTrigger(ti.pk, 7, state, None)], now=utcnow())
    assert events() == [("task_callback", expected)]


@pytest.mark.parametrize("state", ["running", "deferred", "up_for_reschedule", "awaiting_input", "up_for_retry"])
def test_failing_a_task_under_way_by_hand_calls_the_failure_callback_once(state: str) -> None:
    ti = attempt(2, state=state)
    for _ in range(2):
        with transaction.atomic():
            transitions.mark([ti.pk], S.FAILED, now=utcnow(), actor="ann")
    assert events() == [("task_callback", FAILURE)]
    assert Callback.objects.get().payload["exception"] == "marked failed by ann"


@pytest.mark.parametrize(
    ("state", "was"), [("success", "running"), ("skipped", "running"), ("failed", "success"), ("failed", None)]
)
def test_other_marks_call_nothing(state: str, was: str | None) -> None:
    ti = attempt(0, state=was)
    with transaction.atomic():
        transitions.mark([ti.pk], state, now=utcnow(), actor="ann")
    assert events() == []


def test_a_task_that_fails_for_its_upstream_calls_nothing() -> None:
    ti = attempt(0, state=None)
    with transaction.atomic():
        transitions.decide_without_running([ti.pk], S.UPSTREAM_FAILED, now=utcnow())
    assert events() == []


def test_a_task_without_callbacks_costs_no_row_and_a_plain_end_no_query(django_assert_num_queries: Any) -> None:
    from runs.consequences.attempts import after_attempts

    run = make_run(make_dag("plain"))
    ti = make_ti(run, state="running")
    from runs.changes import Moved

    with django_assert_num_queries(0):
        after_attempts([Moved(ti, S.SUCCESS), Moved(ti, S.FAILED, "user_exception")], now=utcnow())


DAG_CALLBACKS: dict[str, Any] = {"has_on_success_callback": True, "has_on_failure_callback": True}


def ended_run(state: str, cause: str = "", actor: str = "", task_state: str | None = "success") -> DagRun:
    """A run that ends."""
    run = make_run(make_dag("d", DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t")], **DAG_CALLBACKS)))
    make_ti(run, state=task_state, end_date=utcnow())
    with transaction.atomic():
        if actor:
            transitions.set_run_state(run.pk, state, now=utcnow(), actor=actor)
        else:
            transitions.finish_run(run.pk, state, now=utcnow(), cause=cause, whatever_the_news=True)
    return run


@pytest.mark.parametrize(
    ("state", "cause", "task_state", "event", "reason"),
    [
        ("success", "", "success", "on_success_callback", "success"),
        ("failed", "", "failed", FAILURE, "task_failure"),
        ("failed", "dagrun_timeout", "running", FAILURE, "timed_out"),
        ("failed", "all_tasks_deadlocked", None, FAILURE, "all_tasks_deadlocked"),
    ],
)
def test_the_end_of_a_run_calls_the_dags_callback_with_airflows_reason(
    state: str, cause: str, task_state: str | None, event: str, reason: str
) -> None:
    ended_run(state, cause, task_state=task_state)
    assert events() == [("dag_callback", event)]
    payload = Callback.objects.get().payload
    assert payload["reason"] == reason and payload["ti"]["task_id"] == "t" and payload["dag_run"]["state"] == state


def test_a_run_that_a_person_marks_calls_nothing() -> None:
    ended_run("failed", actor="ann")
    assert events() == []


def test_the_callback_is_gone_with_the_change_that_is_rolled_back() -> None:
    ti = attempt(0)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        transitions.finish([silent(ti, "signal", 9)], now=utcnow())
        raise ZeroDivisionError
    assert events() == [] and TaskInstance.objects.get().state == S.RUNNING


def test_an_executors_lost_event_calls_the_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    from runs.executors.base import Executors
    from runs.scheduler.reap_lost import HearExecutors
    from tests.integration.runs.harness import ScriptedExecutor

    ti = attempt(0)
    executor = ScriptedExecutor()
    assert ti.dispatch_id is not None
    executor.news = [ExecutorEvent("lost", ti.pk, ti.dispatch_id, Cause.SUPERVISOR_DIED, "it ended")]
    HearExecutors(Executors({"x": executor})).run_once(10)
    assert events() == [("task_callback", FAILURE)]
    assert Callback.objects.get().created_at > utcnow() - timedelta(minutes=1)
