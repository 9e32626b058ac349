"""C27: deadlines of runs, tasks, groups and map indexes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.callback import AsyncCallback, SyncCallback
from orchestrator.sdk.definitions.deadline import (
    BaseDeadlineReference,
    DeadlineAlert,
    DeadlineReference,
    TaskDeadline,
)
from orchestrator.sdk.definitions.deadline_intervals import HistoryInterval, VariableInterval
from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec
from runs import transitions
from runs.callbacks.results import take_result
from runs.callbacks.services import Outcome
from runs.callbacks.triggering import callback_trigger_end
from runs.deadlines.moments import percentile
from runs.deadlines.selectors import upcoming_deadlines
from runs.models import Callback, DagRun, Deadline, TaskInstance, Trigger
from runs.scheduler.expire_deadlines import ExpireDeadlines
from tests.factories import make_dag, make_run, make_ti
from tests.integration.callbacks.test_deliveries import Delivering

pytestmark = pytest.mark.django_db

State = Deadline.State
CALL = SyncCallback("some.module.function", {"word": "late"})
SECOND = timedelta(seconds=1)


def run_of(
    *, deadline: list[Any] | None = None, task: list[Any] | None = None, group: list[Any] | None = None, **fields: Any
) -> DagRun:
    """A running run, begun now, of a DAG with deadlines."""
    spec = DagSpec(
        dag_id="d",
        deadline=[alert.serialize() for alert in deadline or ()] or None,
        tasks=[TaskSpec(task_id="t", task_group_id="g" if group else None, deadline=[a.serialize() for a in task or ()] or None)],
        task_groups=[TaskGroupSpec(None), TaskGroupSpec("g", deadline=[a.serialize() for a in group or ()] or None)],
    )
    now = utcnow()
    return make_run(make_dag("d", spec), **{"start_date": now, "queued_at": now, "run_after": now, **fields})


def look(*, ahead: timedelta = timedelta(0)) -> int:
    """Look at what is due, with every moment moved to the past by ``ahead``."""
    duty = ExpireDeadlines()
    return duty.run_once(100).done


def states() -> list[tuple[str, int, str]]:
    """Subject, index and state of every deadline."""
    return list(Deadline.objects.order_by("task_id", "map_index", "alert_index").values_list("task_id", "map_index", "state"))


PAST, FUTURE = -timedelta(seconds=5), timedelta(hours=1)


@pytest.mark.parametrize(("interval", "state", "called"), [(PAST, State.MISSED, 1), (FUTURE, State.PENDING, 0)])
@pytest.mark.parametrize("reference", ["DAGRUN_QUEUED_AT", "DAGRUN_LOGICAL_DATE", "DAGRUN_STARTED_AT", "FIXED"])
def test_a_run_that_is_late_while_it_runs_calls_its_callback_once(
    reference: str, interval: timedelta, state: str, called: int
) -> None:
    """C27-b: evaluated while the run runs, once however often and by however many it is looked at."""
    chosen = DeadlineReference.FIXED_DATETIME(utcnow()) if reference == "FIXED" else getattr(DeadlineReference, reference)
    run_of(deadline=[DeadlineAlert(chosen, interval, CALL, name="n")], logical_date=utcnow())
    assert look() == called
    assert look() == 0
    assert states() == [("", -1, state)]
    assert Callback.objects.filter(kind="deadline").count() == called
    if called:
        payload = Callback.objects.get().payload
        assert payload["context"].keys() == {"dag_run", "deadline"} and payload["kwargs"] == {"word": "late"}
        assert payload["context"]["deadline"]["id"] == str(Deadline.objects.get().pk)


@pytest.mark.parametrize(("state", "ended"), [("success", State.MET), ("failed", State.CANCELLED)])
@pytest.mark.parametrize(
    "reference", [DeadlineReference.DAGRUN_QUEUED_AT, DeadlineReference.FIXED_DATETIME(datetime(2099, 1, 1))]
)
def test_a_run_that_ends_in_time_misses_no_deadline(reference: Any, state: str, ended: str) -> None:
    run = run_of(deadline=[DeadlineAlert(reference, FUTURE, CALL)])
    with transaction.atomic():
        transitions.finish_run(run.pk, state, now=utcnow(), whatever_the_news=True)
    look()
    assert states() == [("", -1, ended)] and not Callback.objects.exists()


def test_a_run_that_ended_too_late_is_found_late_afterwards() -> None:
    run = run_of(deadline=[DeadlineAlert(DeadlineReference.FIXED_DATETIME(utcnow()), PAST, CALL)])
    with transaction.atomic():
        transitions.finish_run(run.pk, "failed", now=utcnow(), whatever_the_news=True)
    assert look() == 1 and states() == [("", -1, State.MISSED)]


def test_a_dag_without_logical_date_has_no_deadline_by_it_and_many_alerts_are_many_rows() -> None:
    by_date = DeadlineAlert(DeadlineReference.DAGRUN_LOGICAL_DATE, FUTURE, CALL)
    queued = DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, FUTURE, CALL)
    run_of(deadline=[by_date, queued, queued], logical_date=None)
    assert list(Deadline.objects.order_by("alert_index").values_list("alert_index", flat=True)) == [1, 2]


def test_the_average_of_successful_runs_counts_from_the_making_of_the_run() -> None:
    alert = DeadlineAlert(DeadlineReference.AVERAGE_RUNTIME(max_runs=3, min_runs=2), timedelta(seconds=5), CALL)
    run = run_of(deadline=[alert])
    assert states() == [], "there is no history yet"
    for number, (seconds, state) in enumerate([(10, "success"), (20, "success"), (900, "failed")]):
        began = datetime(2026, 1, 1 + number, tzinfo=UTC)
        end = began + timedelta(seconds=seconds)
        make_run(run.dag, run_id=f"past{number}", state=state, logical_date=began, start_date=began, end_date=end)
    Deadline.objects.all().delete()
    now = utcnow()
    make_run(run.dag, run_id="next", queued_at=now)
    assert Deadline.objects.get().deadline_time == now + timedelta(seconds=20)


def test_the_interval_of_a_variable_is_read_when_the_run_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_LIMIT", "60")
    now = utcnow()
    run = run_of(deadline=[DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, VariableInterval("limit"), CALL)], queued_at=now)
    assert Deadline.objects.get().deadline_time == now + timedelta(seconds=60)
    monkeypatch.setenv("AIRFLOW_VAR_LIMIT", "soon")
    make_run(run.dag, run_id="other", queued_at=now)
    assert Deadline.objects.count() == 1, "a deadline that cannot be read stops no run"


def test_the_wall_clock_of_a_zone() -> None:
    due = datetime(2026, 7, 1, 6, tzinfo=UTC)  # eight o'clock in Berlin
    run_of(deadline=[
        DeadlineAlert(DeadlineReference.WALL_CLOCK("09:30", "Europe/Berlin"), timedelta(0), CALL),
        DeadlineAlert(DeadlineReference.WALL_CLOCK("07:00", "Europe/Berlin"), timedelta(0), CALL),
    ], run_after=due)  # fmt: skip
    times = list(Deadline.objects.order_by("alert_index").values_list("deadline_time", flat=True))
    assert times == [datetime(2026, 7, 1, 7, 30, tzinfo=UTC), datetime(2026, 7, 2, 5, tzinfo=UTC)]


class LatestReport(BaseDeadlineReference):
    """An author's own reference."""


def test_an_authors_reference_is_asked_in_a_worker_and_its_answer_makes_the_deadline() -> None:
    run_of(deadline=[DeadlineAlert(LatestReport(), timedelta(minutes=1), CALL)])
    assert not Deadline.objects.exists()
    (item,) = Delivering().run()
    assert item.workload["callback"]["data"]["path"].endswith("LatestReport")
    moment = utcnow()
    with transaction.atomic():
        take_result(Outcome(item.dispatch_id, True, result=moment.isoformat()), now=utcnow())
    assert Deadline.objects.get().deadline_time == moment + timedelta(minutes=1)


def test_an_asynchronous_callback_runs_in_the_triggerer_and_is_tried_again() -> None:
    run_of(deadline=[DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, PAST, AsyncCallback("some.module.coroutine"))])
    look()
    delivering = Delivering()
    assert delivering.run() == [], "no executor gets it"
    trigger, delivery = Trigger.objects.get(), Callback.objects.get()
    assert trigger.callback == delivery and delivery.state == "running"
    event = {"type": "Event", "payload": {"state": "failed", "body": "boom"}}
    with transaction.atomic():
        callback_trigger_end(trigger.pk, delivery.dispatch_id, event, now=utcnow())
    assert not Trigger.objects.exists()
    Callback.objects.update(next_attempt_at=utcnow())
    delivering.run()
    delivery.refresh_from_db()
    with transaction.atomic():
        said = {"type": "Event", "payload": {"state": "success", "body": "fine"}}
        callback_trigger_end(Trigger.objects.get().pk, delivery.dispatch_id, said, now=utcnow())
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.last_output) == ("delivered", 2, "fine")


QUEUED = DeadlineReference.DAGRUN_QUEUED_AT


@pytest.mark.parametrize(
    ("fields", "missed"),
    [
        ({"state": None}, True),
        ({"state": "queued"}, True),
        ({"state": "running", "start_date": "before"}, False),
        ({"state": "running", "start_date": "after"}, True),
        ({"state": "skipped"}, False),
        ({"state": "upstream_failed"}, False),
    ],
)
def test_a_task_that_has_not_started_in_time(fields: dict[str, Any], missed: bool) -> None:
    """C27-a: not started by."""
    run = run_of(task=[TaskDeadline.not_started_by(QUEUED, CALL, -SECOND)])
    moment = Deadline.objects.get().deadline_time
    began = fields.get("start_date")
    fields["start_date"] = {"before": moment - SECOND, "after": moment + SECOND / 2, None: None}[began]
    make_ti(run, **fields)
    assert look() == int(missed)
    assert states()[0][2] == (State.MISSED if missed else State.MET)


@pytest.mark.parametrize(("state", "ended", "missed"), [("running", None, True), ("success", -2, False), ("failed", 0.5, True)])
def test_a_task_that_has_not_finished_in_time(state: str, ended: float | None, missed: bool) -> None:
    """C27-a: not finished by."""
    run = run_of(task=[TaskDeadline.not_finished_by(QUEUED, CALL, -SECOND)])
    moment = Deadline.objects.get().deadline_time
    end = moment + timedelta(seconds=ended) if ended is not None else None
    make_ti(run, state=state, start_date=moment - timedelta(minutes=1), end_date=end)
    assert look() == int(missed)
    assert states()[0][2] == (State.MISSED if missed else State.MET)
    if missed:
        context = Callback.objects.get().payload["context"]["deadline"]
        assert context["task_id"] == "t" and context["condition"] == "finished"


def due_now() -> None:
    """Let every pending deadline be looked at."""
    Deadline.objects.filter(state=State.PENDING).update(deadline_time=utcnow())


def test_an_attempt_that_runs_longer_than_allowed() -> None:
    """C27-a: running longer than a fixed time, counted from the start of the attempt."""
    run = run_of(task=[TaskDeadline.running_longer_than(timedelta(seconds=60), CALL)])
    ti = make_ti(run, state="queued")
    due_now()
    assert look() == 0 and states() == [("t", -1, State.PENDING)]
    began = utcnow()
    TaskInstance.objects.filter(pk=ti.pk).update(state="running", start_date=began)
    due_now()
    assert look() == 0
    assert Deadline.objects.get().deadline_time == began + timedelta(seconds=60)
    TaskInstance.objects.filter(pk=ti.pk).update(start_date=began - timedelta(seconds=61))
    due_now()
    assert look() == 1 and states() == [("t", -1, State.MISSED)]


def test_an_attempt_that_runs_longer_than_usual() -> None:
    """C27-a: the 95th percentile of the history times a factor; none while the history is too short."""
    run = run_of(task=[TaskDeadline.running_longer_than(HistoryInterval(95, 2.0, min_runs=3), CALL)])
    assert states() == []
    for number in range(3):
        past = make_run(run.dag, run_id=f"p{number}", state="success")
        make_ti(past, state="success", duration=10.0, end_date=utcnow())
    now = utcnow()
    run = make_run(run.dag, run_id="now", queued_at=now)
    make_ti(run, state="running", start_date=now - timedelta(seconds=21))
    due_now()
    assert look() == 1


def test_each_late_index_of_a_mapped_task_calls_once() -> None:
    """C27-a: mapped index."""
    run = run_of(task=[TaskDeadline.not_finished_by(QUEUED, CALL, -SECOND)])
    before = utcnow() - timedelta(minutes=1)
    for index, state in enumerate(["running", "success", "running"]):
        make_ti(run, map_index=index, state=state, start_date=before, end_date=before if state == "success" else None)
    look()
    due_now()
    look()
    assert states() == [("t", -1, State.MISSED), ("t", 0, State.MISSED), ("t", 2, State.MISSED)]
    assert Callback.objects.filter(kind="deadline").count() == 2


def test_the_index_of_a_mapped_task_that_becomes_late_later_calls_then() -> None:
    run = run_of(task=[TaskDeadline.running_longer_than(timedelta(seconds=60), CALL)])
    now = utcnow()
    make_ti(run, map_index=0, state="running", start_date=now - timedelta(seconds=61))
    second = make_ti(run, map_index=1, state="running", start_date=now)
    for began in (now, now - timedelta(seconds=61)):
        TaskInstance.objects.filter(pk=second.pk).update(start_date=began)
        due_now()
        assert look() == 1
        due_now()
        assert look() == 0
    assert [index for _, index, state in states() if state == State.MISSED] == [-1, 0, 1]
    assert Callback.objects.count() == 2


def test_a_group_is_late_while_any_of_its_tasks_is() -> None:
    """C27-a: task group."""
    run = run_of(group=[TaskDeadline.not_finished_by(QUEUED, CALL, -SECOND)])
    ti = make_ti(run, state="success", end_date=utcnow() - timedelta(minutes=1))
    make_ti(run, task_id="outside", state="running")
    look()
    assert states() == [("g", -1, State.MET)]
    Deadline.objects.update(state=State.PENDING)
    TaskInstance.objects.filter(pk=ti.pk).update(state="running", end_date=None)
    due_now()
    assert look() == 1 and states() == [("g", -1, State.MISSED)]


def test_a_run_that_ends_settles_the_deadlines_of_its_tasks() -> None:
    """C27-b: cancelled when the subject ends."""
    run = run_of(task=[TaskDeadline.not_finished_by(QUEUED, CALL, FUTURE), TaskDeadline.running_longer_than(FUTURE, CALL)])
    make_ti(run, state="success", start_date=utcnow(), end_date=utcnow())
    with transaction.atomic():
        transitions.finish_run(run.pk, "success", now=utcnow(), whatever_the_news=True)
    look()
    assert {state for _, _, state in states()} == {State.MET}


def test_a_cleared_run_counts_anew_but_what_was_missed_stays_missed() -> None:
    run = run_of(deadline=[DeadlineAlert(QUEUED, FUTURE, CALL), DeadlineAlert(QUEUED, PAST, CALL)])
    look()
    with transaction.atomic():
        transitions.finish_run(run.pk, "success", now=utcnow(), whatever_the_news=True)
        transitions.set_run_state(run.pk, "queued", now=utcnow(), actor="ann")
    assert states() == [("", -1, State.PENDING), ("", -1, State.MISSED)]


def test_runs_that_are_made_in_bulk_get_their_deadlines_when_they_begin() -> None:
    run = run_of(deadline=[DeadlineAlert(QUEUED, FUTURE, CALL)], state="queued")
    Deadline.objects.all().delete()
    with transaction.atomic():
        assert transitions.start_run(run.pk, scheduler_id=run.created_dag_version_id, now=utcnow())  # type: ignore[arg-type]
    assert states() == [("", -1, State.PENDING)]


def test_a_run_without_deadlines_costs_no_query(django_assert_num_queries: Any) -> None:
    dag = make_dag("plain")
    make_run(dag)
    with django_assert_num_queries(1):
        make_run(dag, run_id="second")


def test_an_idle_look_is_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        ExpireDeadlines().run_once(100)


def test_a_broken_deadline_is_cancelled_and_hinders_no_other() -> None:
    run_of(deadline=[DeadlineAlert(QUEUED, PAST, CALL), DeadlineAlert(QUEUED, PAST, CALL)])
    broken = Deadline.objects.order_by("alert_index")[0]
    Deadline.objects.filter(pk=broken.pk).update(alert={"subject": "run"})
    assert look() == 1
    assert [state for _, _, state in states()] == [State.CANCELLED, State.MISSED]


def test_upcoming_deadlines_come_with_the_predicted_end() -> None:
    """C27-d."""
    run = run_of(deadline=[DeadlineAlert(QUEUED, timedelta(seconds=30), CALL), DeadlineAlert(QUEUED, FUTURE, CALL)])
    past = utcnow() - timedelta(days=1)
    make_run(run.dag, run_id="past", state="success", start_date=past, end_date=past + timedelta(seconds=60), queued_at=past)
    Deadline.objects.exclude(dag_run=run).delete()
    near, far = upcoming_deadlines(utcnow())
    assert near.is_at_risk and not far.is_at_risk
    assert run.start_date is not None and near.predicted_end == run.start_date + timedelta(seconds=60)


def test_percentiles_lie_between_the_values() -> None:
    assert percentile([10.0], 95) == 10.0
    assert percentile([0.0, 10.0], 50) == 5.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 100) == 4.0
