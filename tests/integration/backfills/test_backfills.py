"""Backfills from the order to the last run (C22)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import AuditLog
from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.timetables import CronPartitionTimetable, CronTriggerTimetable, encode_timetable
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.backfills.blocked import blocked_runs
from runs.backfills.plan import Order
from runs.backfills.refusals import BackfillClosedError, BackfillOpenError, BackfillRefusedError
from runs.backfills.selectors import plan_of
from runs.backfills.services import backfill_cancel, backfill_create, backfill_pause
from runs.models import Backfill, DagRun, TaskInstance
from runs.services import run_set_state
from runs.states import DagRunState
from tests.factories import make_dag, make_run
from tests.integration.runs.harness import Rounds

pytestmark = pytest.mark.django_db

DAILY = encode_timetable(CronTriggerTimetable("@daily", "UTC"))


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def daily(dag_id: str = "d", timetable: Any = DAILY, tasks: list[TaskSpec] | None = None, **fields: Any) -> Dag:
    tasks = tasks or [TaskSpec(task_id="t")]
    return make_dag(dag_id, DagSpec(dag_id=dag_id, tasks=tasks, timetable=timetable, **fields))


def order(first: int = 1, last: int = 4, **fields: Any) -> Order:
    return Order(from_date=at(first), to_date=at(last), **fields)


def create(dag: Dag, **fields: Any) -> Backfill:
    with transaction.atomic():
        return backfill_create(dag, order(**fields), user_name="ann")


def days(backfill: Backfill, state: str | None = None) -> list[int]:
    runs = DagRun.objects.filter(backfill=backfill, **({"state": state} if state else {}))
    return [run.logical_date.day for run in runs.order_by("logical_date") if run.logical_date]


def begun(rounds: Rounds) -> list[str]:
    rounds.run()
    return [hand.workload["ti"]["run_id"][10:20] for hand in rounds.executor.handed]


def test_every_date_runs_within_the_backfills_own_limit_and_the_backfill_completes() -> None:
    """C22: runs of type backfill, two at once although the DAG allows one, then completed."""
    dag = daily(max_active_runs=1)
    backfill, rounds = create(dag, max_active_runs=2), Rounds()
    assert begun(rounds) == ["2026-01-01", "2026-01-02"]
    rounds.complete()
    backfill.refresh_from_db()
    assert days(backfill, "success") == [1, 2, 3, 4] and backfill.completed_at is not None
    run = DagRun.objects.filter(backfill=backfill).first()
    assert run is not None and (run.run_type, run.triggered_by, run.triggering_user_name) == ("backfill", "backfill", "ann")
    assert AuditLog.objects.filter(event="create_backfill", owner="ann", dag_id="d").exists()


def test_backwards_runs_the_newest_date_first() -> None:
    backfill = create(daily(), max_active_runs=1, run_backwards=True)
    assert begun(Rounds()) == ["2026-01-04"]
    assert list(backfill.entries.order_by("sort_ordinal").values_list("logical_date", flat=True)) == [at(d) for d in (4, 3, 2, 1)]


def test_the_preview_says_what_happens_to_each_date() -> None:
    """C22-b."""
    dag = daily()
    for day, state in ((1, "success"), (2, "failed"), (3, "running")):
        make_run(dag, f"r{day}", logical_date=at(day), state=state)

    def plan(reprocess: str) -> list[tuple[str, str | None]]:
        return [(item.action, item.reason) for item in plan_of(dag, order(reprocess=reprocess), utcnow())]

    exists, flight = ("skip", "already exists"), ("skip", "in flight")
    assert plan("none") == [exists, exists, flight, ("create", None)]
    assert plan("failed") == [exists, ("rerun", None), flight, ("create", None)]
    assert plan("completed") == [("rerun", None), ("rerun", None), flight, ("create", None)]


def test_a_failed_run_is_run_again_inside_the_backfill() -> None:
    dag, rounds = daily(), Rounds()
    first = create(dag, last=2)
    rounds.complete("failed")
    second = create(dag, last=2, reprocess="failed", conf={"a": 1})
    rounds.complete()
    assert days(first) == [] and days(second, "success") == [1, 2]
    run = DagRun.objects.filter(backfill=second).first()
    assert run is not None and run.conf == {"a": 1} and run.clear_number == 1


def test_a_date_with_a_run_keeps_it_and_the_entry_says_why() -> None:
    dag = daily()
    make_run(dag, "r1", logical_date=at(1), state="success")
    make_run(dag, "r2", logical_date=at(2), state="queued")
    backfill = create(dag)
    reasons = list(backfill.entries.order_by("sort_ordinal").values_list("exception_reason", flat=True))
    assert reasons == ["already exists", "in flight", None, None] and days(backfill) == [3, 4]


def test_a_paused_backfill_begins_nothing_until_it_goes_on() -> None:
    backfill, rounds = create(daily(), max_active_runs=1), Rounds()
    with transaction.atomic():
        backfill_pause(backfill, True, actor="ann")
    assert begun(rounds) == []
    with transaction.atomic():
        backfill_pause(backfill, False, actor="ann")
    assert begun(rounds) == ["2026-01-01"]


def unfinished_of_closed() -> int:
    return DagRun.objects.unfinished().filter(backfill__completed_at__isnull=False).count()


def test_cancel_fails_what_waits_and_lets_go_of_what_runs() -> None:
    """C22-a: no unfinished run refers to a backfill that is over, and a cleared run runs normally."""
    backfill, rounds = create(daily(), max_active_runs=2), Rounds()
    rounds.run()
    with transaction.atomic():
        backfill_cancel(backfill, actor="ann")
    assert unfinished_of_closed() == 0
    states = list(DagRun.objects.order_by("logical_date").values_list("state", flat=True))
    assert states == ["running", "running", "failed", "failed"]
    rounds.complete()
    last = DagRun.objects.get(logical_date=at(4))
    with transaction.atomic():
        run_set_state(last, DagRunState.QUEUED, actor="ann")
    assert unfinished_of_closed() == 0
    rounds.complete()
    last.refresh_from_db()
    assert last.state == "success" and last.backfill_id is None
    with pytest.raises(BackfillClosedError), transaction.atomic():
        backfill_cancel(backfill, actor="ann")


def test_a_run_cleared_after_its_backfill_is_complete_runs_by_the_dags_limits() -> None:
    """C22-a."""
    backfill, rounds = create(daily(), last=1), Rounds()
    rounds.complete()
    run = DagRun.objects.get()
    with transaction.atomic():
        run_set_state(run, DagRunState.QUEUED, actor="ann")
    assert unfinished_of_closed() == 0
    rounds.complete()
    run.refresh_from_db()
    backfill.refresh_from_db()
    assert run.state == "success" and run.backfill_id is None and backfill.completed_at is not None


def test_there_is_one_open_backfill_per_dag() -> None:
    dag = daily()
    create(dag)
    with pytest.raises(BackfillOpenError):
        create(dag)
    create(daily("other"))


def test_scheduled_runs_get_the_slots_before_the_runs_of_a_backfill() -> None:
    """C22-b: priority below scheduled runs by default."""
    from runs.models import Pool

    Pool.objects.filter(pool="default_pool").update(slots=1)
    dag, rounds = daily(), Rounds()
    create(dag, last=2)
    make_run(dag, "s", run_type="scheduled", state="queued", logical_date=at(9), queued_at=utcnow(), scheduler_id=None)
    rounds.run()
    (first,) = rounds.executor.handed
    assert first.workload["ti"]["run_id"] == "s"
    rounds.complete()
    assert DagRun.objects.filter(state="success").count() == 3


def test_the_first_date_of_a_backfill_does_not_look_at_the_past_and_a_deadlock_is_named() -> None:
    """C22-c."""
    tasks = [TaskSpec(task_id="t", depends_on_past=True)]
    dag, rounds = daily(tasks=tasks), Rounds()
    make_run(dag, "before", logical_date=datetime(2025, 12, 31, tzinfo=UTC), state="failed")
    backfill = create(dag, last=2, reprocess="failed")
    rounds.run()
    assert [hand.workload["ti"]["run_id"][10:20] for hand in rounds.executor.handed] == ["2026-01-01"]
    rounds.complete("failed")
    (blocked,) = blocked_runs(backfill)
    assert (blocked.run.logical_date, blocked.blocker.run_id[10:20]) == (at(2), "2026-01-01")
    assert "depends on its past: t of run backfill__2026-01-01" in blocked.sentence and "is failed" in blocked.sentence


@pytest.mark.parametrize(
    ("fields", "spec", "said"),
    [
        ({}, {"timetable": {"type": "NullTimetable"}}, "d has a non-periodic schedule that does not support backfills"),
        ({}, {"timetable": {"type": "OnceTimetable"}}, "d has a non-periodic schedule"),
        ({"first": 5}, {}, "must not be after to_date"),
        ({"conf": {"n": "x"}}, {"params": {"n": {"value": 1, "schema": {"type": "integer"}}}}, "Invalid input for param n"),
        ({}, {"allowed_run_types": ["manual"]}, "does not allow backfill runs"),
        ({"run_backwards": True}, {"tasks": [TaskSpec(task_id="t", depends_on_past=True)]}, "cannot run backwards"),
        ({}, {"tasks": [TaskSpec(task_id="t", depends_on_past=True)]}, "set reprocess_behavior"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(fields: dict[str, Any], spec: dict[str, Any], said: str) -> None:
    with pytest.raises(BackfillRefusedError, match=said):
        create(daily(**spec), **fields)
    assert not DagRun.objects.exists() and not Backfill.objects.exists()


def test_future_dates_and_dates_without_a_finished_interval_are_refused() -> None:
    dag, later = daily(), utcnow() + timedelta(days=9)
    with pytest.raises(BackfillRefusedError, match="future dates"), transaction.atomic():
        backfill_create(dag, Order(later, later), user_name=None)
    with pytest.raises(BackfillRefusedError, match="No runs to create"), transaction.atomic():
        backfill_create(dag, Order(at(1, 3), at(1, 9)), user_name=None)


def test_a_partitioned_dag_gets_a_run_per_partition_and_another_beside_a_failed_one() -> None:
    timetable = encode_timetable(CronPartitionTimetable("@daily", timezone="Europe/Berlin", key_format="%Y-%m-%d"))
    dag, rounds = daily(timetable=timetable), Rounds()
    first = create(dag, last=2)
    rows = DagRun.objects.order_by("pk").values_list("partition_key", "logical_date")
    assert list(rows) == [("2026-01-01", None), ("2026-01-02", None)]
    rounds.complete("failed")
    second = create(dag, last=2, reprocess="failed")
    rounds.complete()
    assert DagRun.objects.filter(backfill=first, state="failed").count() == 2
    assert DagRun.objects.filter(backfill=second, state="success").count() == 2


def test_a_partition_with_the_longest_key_gets_a_run_whose_id_fits_its_column() -> None:
    timetable = encode_timetable(CronPartitionTimetable("@daily", timezone="UTC", key_format="k" * 240 + "%Y-%m-%d"))
    create(daily(timetable=timetable), last=2)
    ids, keys = zip(*DagRun.objects.values_list("run_id", "partition_key"), strict=True)
    assert [len(name) for name in (*ids, *keys)] == [250] * 4
    assert len(set(ids)) == len(set(keys)) == 2


def test_a_run_made_in_the_moment_of_the_order_is_left_alone() -> None:
    """The unique date decides, not the look before: the entry says that it is in flight."""
    from runs.backfills import services

    dag = daily()
    plan = plan_of(dag, order(last=2), utcnow())
    make_run(dag, "quick", logical_date=at(1), state="queued")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "plan_of", lambda *_: plan)
        backfill = create(dag, last=2)
    assert list(backfill.entries.order_by("pk").values_list("exception_reason", flat=True)) == ["in flight", None]
    assert TaskInstance.objects.count() == 0
