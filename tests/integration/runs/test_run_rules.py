"""Rules about whole runs: failures in a row, fail_fast, limits that change, ends, unpausing, overlapping runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import AuditLog
from dags_app.models import Dag
from dags_app.pausing import dag_pause
from dags_app.services import dag_set_next_dagrun
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.timetables import ContinuousTimetable, CronTriggerTimetable, OnceTimetable, encode_timetable
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import DagRun
from runs.services import run_trigger
from tests.factories import make_dag, make_run
from tests.integration.runs.harness import Rounds, spec_of_edges, states, trigger

pytestmark = pytest.mark.django_db


def scheduled(timetable: Any = None, hours_ago: int = 4, dag_fields: dict[str, Any] | None = None, **fields: Any) -> Dag:
    """A DAG that began some hours ago, with its next run computed; without a timetable it runs hourly, next in half an hour."""
    tick = (utcnow() - timedelta(minutes=30)).replace(second=0, microsecond=0)
    timetable = timetable or encode_timetable(CronTriggerTimetable(f"{tick.minute} * * * *", "UTC"))
    start = tick - timedelta(hours=hours_ago)
    spec = DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t")], timetable=timetable, start_date=start.isoformat(), **fields)
    limits = {"max_active_runs": spec.max_active_runs, "catchup": spec.catchup, "overlap_policy": spec.overlap_policy}
    dag = make_dag("d", spec, **limits, **(dag_fields or {}))
    dag_set_next_dagrun(dag, spec, None)
    return dag


def hours(rounds: Rounds | None = None) -> list[int]:
    """How many whole hours ago the scheduled runs were due."""
    (rounds or Rounds()).run()
    now = utcnow()
    runs = DagRun.objects.filter(run_type="scheduled").order_by("run_after")
    return [(now - run.run_after) // timedelta(hours=1) for run in runs]


def test_a_dag_is_paused_after_so_many_failures_in_a_row_and_the_audit_says_why() -> None:
    run = trigger(DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t")], max_consecutive_failed_dag_runs=2))
    rounds = Rounds()
    rounds.complete("failed")
    assert not Dag.objects.get().is_paused
    with transaction.atomic():
        run_trigger(dag=run.dag)
    rounds.complete("failed")
    assert Dag.objects.get().is_paused
    entry = AuditLog.objects.get(event="paused")
    assert entry.owner == "scheduler" and "max_consecutive_failed_dag_runs=2" in entry.after["reason"]


def test_a_success_among_the_last_runs_keeps_the_dag_on() -> None:
    run = trigger(DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t")], max_consecutive_failed_dag_runs=2))
    rounds = Rounds()
    rounds.complete("success")
    for _ in range(1):
        with transaction.atomic():
            run_trigger(dag=run.dag)
        rounds.complete("failed")
    assert not Dag.objects.get().is_paused


def test_fail_fast_fails_what_runs_skips_what_waits_and_lets_teardowns_run() -> None:
    spec = spec_of_edges("d", {"bad": [], "busy": [], "later": ["bad"], "clean": ["later"]}, fail_fast=True)
    spec.task_by_id()["clean"].is_teardown = True
    spec.task_by_id()["clean"].trigger_rule = "all_done_setup_success"
    run, rounds = trigger(spec), Rounds()
    rounds.run()
    both, rounds.executor.handed = rounds.executor.handed, []
    rounds.begin([hand for hand in both if hand.workload["ti"]["task_id"] == "busy"])
    rounds.executor.handed = [hand for hand in both if hand.workload["ti"]["task_id"] == "bad"]
    rounds.work("failed")
    rounds.run()
    assert states(run) | {"clean": ""} == {"bad": "failed", "busy": "failed", "later": "skipped", "clean": ""}
    rounds.complete()
    run.refresh_from_db()
    assert states(run)["clean"] == "success" and run.state == "failed"


def test_catchup_off_runs_the_last_missed_tick_and_on_runs_all() -> None:
    scheduled(catchup=False)
    assert hours() == [0]
    DagRun.objects.all().delete()
    Dag.objects.all().delete()
    scheduled(catchup=True)
    assert hours() == [4, 3, 2, 1, 0]


def test_more_runs_begin_once_the_limit_is_raised() -> None:
    dag, rounds = scheduled(catchup=True, max_active_runs=1), Rounds()
    assert hours(rounds) == [4]
    Dag.objects.filter(pk=dag.pk).update(max_active_runs=3)
    assert hours(rounds) == [4, 3, 2]
    assert DagRun.objects.filter(state="running").count() == 3


def test_once_runs_once_and_continuous_runs_again_after_its_end() -> None:
    scheduled(encode_timetable(OnceTimetable()))
    rounds = Rounds()
    rounds.complete()
    rounds.complete()
    assert DagRun.objects.count() == 1
    DagRun.objects.all().delete()
    Dag.objects.all().delete()
    scheduled(encode_timetable(ContinuousTimetable()), max_active_runs=1)
    rounds.run()
    assert DagRun.objects.count() == 1
    rounds.work()
    rounds.run()
    rounds.run()
    assert DagRun.objects.count() == 2


def test_nothing_runs_after_the_end_date_and_nothing_before_run_after() -> None:
    end = (utcnow() - timedelta(hours=2)).isoformat()
    dag = scheduled(catchup=True, end_date=end)
    assert hours() == [4, 3, 2]
    with transaction.atomic():
        late = run_trigger(dag=dag, run_after=utcnow() + timedelta(hours=1))
    Rounds().run()
    late.refresh_from_db()
    assert late.state == "queued"


def unpaused(missed: str | None, **fields: Any) -> list[int]:
    dag = scheduled(dag_fields={"is_paused": True}, **fields)
    with transaction.atomic():
        dag_pause(dag.pk, False, actor="ann", missed=missed)
    return hours()


@pytest.mark.parametrize(
    ("missed", "fields", "wanted"),
    [
        (None, {"catchup": False}, [0]),
        (None, {"catchup": True}, [4, 3, 2, 1, 0]),
        ("none", {"catchup": True}, []),
        ("last", {"catchup": True}, [0]),
        ("all", {"catchup": False}, [4, 3, 2, 1, 0]),
        (None, {"catchup": True, "on_unpause": "none"}, []),
    ],
)
def test_c24c_unpausing_makes_up_for_what_was_chosen(missed: str | None, fields: dict[str, Any], wanted: list[int]) -> None:
    assert unpaused(missed, **fields) == wanted
    entry = AuditLog.objects.get(event="unpaused")
    assert entry.after.get("missed") == (missed or fields.get("on_unpause"))


@pytest.mark.parametrize(
    ("policy", "open_runs", "queued", "ended"),
    [
        ("allow", 3, 0, 0),
        ("skip", 1, 0, 0),
        ("queue_one", 1, 1, 0),
        ("queue_all", 1, 2, 0),
        ("cancel_previous", 1, 0, 2),
    ],
)
def test_c24e_the_overlap_policy_decides_what_a_due_run_does_beside_an_unfinished_one(
    policy: str, open_runs: int, queued: int, ended: int
) -> None:
    scheduled(catchup=True, hours_ago=2, overlap_policy=policy)
    rounds = Rounds()
    rounds.run()
    rounds.run()
    runs = DagRun.objects.all()
    found = tuple(runs.filter(state=state).count() for state in ("running", "queued", "failed"))
    assert found == (open_runs, queued, ended)
    if policy == "skip":
        assert AuditLog.objects.filter(event="overlap_skipped", dag_id="d").count() == 2
    if policy in ("queue_one", "queue_all"):
        for _ in range(1 + queued):
            rounds.complete()
        assert runs.filter(state="success").count() == 1 + queued


def test_c24e_a_manual_run_is_never_held_back_by_the_policy() -> None:
    dag = make_dag("d", DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t")], overlap_policy="skip"))
    make_run(dag, "old", state="running", logical_date=datetime(2026, 1, 1, tzinfo=UTC))
    with transaction.atomic():
        run = run_trigger(dag=dag)
    Rounds().run()
    run.refresh_from_db()
    assert run.state == "running"


def test_a_dag_that_allows_no_scheduled_runs_gets_none_and_takes_others() -> None:
    dag = scheduled(catchup=True, allowed_run_types=["manual"])
    assert hours() == []
    with transaction.atomic():
        run_trigger(dag=dag)
    assert DagRun.objects.count() == 1
