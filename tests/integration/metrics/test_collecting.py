"""What is counted of runs and tasks, and who may read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from accounts.tokens import token_for
from dags_app.models import Asset
from orchestrator.config import conf
from orchestrator.kernel import telemetry
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from orchestrator.metrics.catalogue import METRICS
from orchestrator.metrics.duty import SendMetrics, metrics_duty
from orchestrator.processes.models import Process
from orchestrator.processes.services import process_end, process_register
from runs.callbacks.kinds import Kind
from runs.metrics.follow import LAG_SECONDS, Follower
from runs.metrics.gauges import gauges
from runs.models import AssetEvent, Callback, DagRun, Deadline, Pool, StateChange, TaskInstance
from runs.scheduler.report_metrics import SchedulerMeasures
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.runs.harness import Rounds, trigger
from tests.specs import dag

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    telemetry.reset()
    yield
    check_known()
    telemetry.reset()


def check_known() -> None:
    """Whatever a test made be counted has a row in the table, and its tags."""
    counters, levels, timings = telemetry.snapshot()
    for kind, found in (("counter", counters), ("gauge", levels), ("timer", timings)):
        for name, tags in found:
            assert (METRICS[name].kind, METRICS[name].tags) == (kind, tuple(key for key, _ in tags)), name


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def set_options(**options: str) -> None:
        for name, value in options.items():
            monkeypatch.setenv(f"AIRFLOW__METRICS__{name.upper()}", value)
        conf.reload()

    yield set_options
    monkeypatch.undo()
    conf.reload()


def counted(name: str, **tags: str) -> int:
    return telemetry.snapshot()[0].get((name, tuple(sorted(tags.items()))), 0)


def end_of_a_task(follower: Follower) -> None:
    """One task that started and succeeded, one run that succeeded."""
    now = utcnow()
    follower.follow(now)
    run = make_run(make_dag(), state="success", end_date=NOON + timedelta(seconds=60))
    ti = make_ti(
        run, state="success", operator="BashOperator", duration=4.0, start_date=NOON, queued_dttm=NOON - timedelta(seconds=2)
    )
    for before, after in (("queued", "running"), ("running", "success")):
        StateChange.objects.create(dag_run=run, ti_id=ti.pk, task_id="t", from_state=before, to_state=after, at=now)
    StateChange.objects.create(dag_run=run, from_state="running", to_state="success", at=now)
    follower.follow(now + timedelta(seconds=LAG_SECONDS))


def test_starts_ends_and_durations_have_airflows_names() -> None:
    end_of_a_task(Follower(process_register("scheduler").pk))
    assert counted("ti.start", dag_id="d", task_id="t") == 1
    assert counted("ti.finish", dag_id="d", task_id="t", state="success") == 1
    assert counted("operator_successes", dag_id="d", operator_name="BashOperator", task_id="t") == 1
    timings = telemetry.snapshot()[2]
    assert timings["task.duration", (("dag_id", "d"), ("task_id", "t"))][1] == 4.0
    assert timings["task.queued_duration", (("dag_id", "d"), ("queue", "default"), ("task_id", "t"))][1] == 2.0
    assert timings["dagrun.duration.success", (("dag_id", "d"), ("run_type", "manual"))][1] == 60.0


def test_only_one_of_several_schedulers_counts() -> None:
    first, second = process_register("scheduler"), process_register("scheduler")
    follower = Follower(second.pk)
    end_of_a_task(follower)
    assert counted("ti.start", dag_id="d", task_id="t") == 0
    assert not follower.leads
    assert first.pk != second.pk


def test_pools_and_unfinished_tasks_are_gauges() -> None:
    Pool.objects.update_or_create(pool="small", defaults={"slots": 5})
    run = make_run(make_dag())
    make_ti(run, "a", state="running", pool="small", pool_slots=2)
    make_ti(run, "b", state="scheduled", pool="small")
    found = gauges(utcnow())
    pool = (("pool_name", "small"),)
    assert (found["pool.open_slots", pool], found["pool.running_slots", pool], found["pool.scheduled_slots", pool]) == (3, 2, 1)
    telemetry.replace_gauges(found.items())
    assert found["executor.running_tasks", (("executor_class_name", "LocalExecutor"), ("status", "running"))] == 1
    assert found["scheduler.tasks.executable", ()] == 1
    assert found["ti.running", (("dag_id", "d"), ("queue", "default"), ("task_id", "a"))] == 1
    assert found["scheduler.dagruns.running", ()] == 1


def test_the_number_of_queries_for_gauges_does_not_grow(django_assert_max_num_queries: Callable[..., object]) -> None:
    for number in range(5):
        run = make_run(make_dag(f"d{number}"))
        make_ti(run, state="running")
    with django_assert_max_num_queries(11):
        gauges(utcnow())


def test_nothing_runs_where_no_option_asks_for_metrics(configure: Callable[..., None]) -> None:
    process = process_register("scheduler")
    measures = SchedulerMeasures(process.pk)
    assert metrics_duty(lambda: process.pk, measures.source) == []
    configure(statsd_on="True")
    assert len(metrics_duty(lambda: process.pk, measures.source)) == 1


def test_metrics_answers_with_counters_and_gauges_to_those_who_may(configure: Callable[..., None]) -> None:
    configure(prometheus_on="True", prometheus_token="own-token")
    process = process_register("scheduler")
    measures = SchedulerMeasures(process.pk)
    duty = SendMetrics(lambda: process.pk, measures.source(), [])
    duty.run_once(1)
    end_of_a_task(measures.follower)
    duty.run_once(1)
    assert Client().get("/metrics").status_code == 401
    assert Client(headers={"Authorization": "Bearer wrong"}).get("/metrics").status_code == 401
    answer = Client(headers={"Authorization": "Bearer own-token"}).get("/metrics")
    assert answer.status_code == 200
    assert 'airflow_ti_finish_total{dag_id="d",state="success"} 1' in answer.text
    assert 'airflow_executor_open_slots{executor_class_name="LocalExecutor",status="open"} ' in answer.text
    assert "airflow_scheduler_dag_bag_cache_size " in answer.text
    user = User.objects.create_superuser("admin", password="a-long-password")
    assert Client(headers={"Authorization": f"Bearer {token_for(user, lifetime_seconds=60)}"}).get("/metrics").status_code == 200
    configure(prometheus_open="True")
    assert Client().get("/metrics").status_code == 200


def test_a_task_that_does_not_fit_into_its_pool_starves() -> None:
    Pool.objects.update_or_create(pool="small", defaults={"slots": 3})
    run = make_run(make_dag())
    make_ti(run, "a", state="running", pool="small", pool_slots=2)
    make_ti(run, "b", state="scheduled", pool="small", pool_slots=2)
    make_ti(run, "c", state="scheduled", pool="small", pool_slots=1)
    found = gauges(utcnow())
    assert found["pool.starving_tasks", (("pool_name", "small"),)] == 1
    assert (found["scheduler.tasks.starving", ()], found["scheduler.tasks.executable", ()]) == (1, 1)


def measured(rounds: Rounds) -> Callable[[], None]:
    """Follow the scheduler of the rounds from now on; the answer counts everything up to now."""
    telemetry.collect()
    Process.objects.filter(kind="scheduler").exclude(pk=rounds.holdings.scheduler_id).delete()
    follower = Follower(rounds.holdings.scheduler_id)
    follower.follow(utcnow())
    return lambda: follower.follow(utcnow() + timedelta(seconds=LAG_SECONDS)) and None


def test_what_a_scheduler_does_is_measured_only_where_somebody_takes_it() -> None:
    rounds = Rounds()
    trigger(dag("a"))
    rounds.run()
    assert telemetry.snapshot()[2] == {}
    follow = measured(rounds)
    other = replace(dag("a, b"), dag_id="other")
    run = trigger(other)
    rounds.run()
    rounds.work()
    rounds.run()
    follow()
    timings = {name for name, _ in telemetry.snapshot()[2]}
    assert timings >= {
        "dagrun.dependency-check",
        "dagrun.duration.success",
        "scheduler.critical_section_duration",
        "scheduler.critical_section_query_duration",
        "scheduler.executor_heartbeat_duration",
        "task.queued_duration",
        "task.scheduled_duration",
    }
    operator = str(TaskInstance.objects.filter(dag_run=run).values_list("operator", flat=True)[0])
    assert counted("task_instance_created", dag_id="other", run_type="manual", task_type=operator) == 2
    assert counted("ti.start", dag_id="other", task_id="a") == 1


def test_a_run_of_a_schedule_tells_how_late_it_and_its_first_task_were() -> None:
    follower = Follower(process_register("scheduler").pk)
    follower.follow(utcnow())
    times = {"run_after": NOON, "queued_at": NOON + timedelta(seconds=1), "start_date": NOON + timedelta(seconds=2)}
    run = make_run(make_dag(), run_type="scheduled", state="failed", end_date=NOON + timedelta(seconds=60), **times)
    make_ti(run, state="failed", start_date=NOON + timedelta(seconds=5))
    for before, after in (("queued", "running"), ("running", "failed")):
        StateChange.objects.create(dag_run=run, from_state=before, to_state=after, at=utcnow())
    follower.follow(utcnow() + timedelta(seconds=LAG_SECONDS))
    timings, tags = telemetry.snapshot()[2], (("dag_id", "d"), ("run_type", "scheduled"))
    assert timings["dagrun.schedule_delay", (("dag_id", "d"),)][1] == 2.0
    assert timings["dagrun.first_task_scheduling_delay", tags][1] == 5.0
    assert timings["dagrun.first_task_start_delay", tags][1] == 4.0
    assert timings["dagrun.duration.failed", tags][1] == 58.0


@pytest.mark.parametrize(
    ("before", "after", "cause", "name"),
    [
        ("running", "up_for_retry", "lease_lost", "task_instances_without_heartbeats_killed"),
        ("running", "failed", "supervisor_died", "scheduler.tasks.killed_externally"),
        ("queued", "scheduled", "launch_error", "scheduler.orphaned_tasks.cleared"),
        ("deferred", "scheduled", "", "triggers.succeeded"),
        ("deferred", "failed", "", "triggers.failed"),
        ("scheduled", "removed", "", "task_removed_from_dag"),
        ("removed", None, "", "task_restored_to_dag"),
    ],
)
def test_losses_triggers_and_removed_tasks_are_counted(before: str, after: str | None, cause: str, name: str) -> None:
    follower = Follower(process_register("scheduler").pk)
    follower.follow(utcnow())
    run = make_run(make_dag())
    ti = make_ti(run, state=after)
    StateChange.objects.create(dag_run=run, ti_id=ti.pk, task_id="t", from_state=before, to_state=after, cause=cause, at=utcnow())
    follower.follow(utcnow() + timedelta(seconds=LAG_SECONDS))
    assert sum(value for (counter, _), value in telemetry.snapshot()[0].items() if counter == name) == 1


def test_processes_assets_deliveries_and_deadlines_are_counted_from_their_rows() -> None:
    follower = Follower(process_register("scheduler").pk)
    run, now = make_run(make_dag()), utcnow()
    open_one = callback(Kind.DAG, "pending")
    pending = Deadline.objects.create(dag_run=run, dag_id="d", deadline_time=now, created_at=now)
    follower.follow(utcnow())
    triggerer = process_register("triggerer")
    AssetEvent.objects.create(asset=Asset.objects.create(name="a", uri="a"), timestamp=now)
    callback(Kind.DEADLINE, "delivered")
    Callback.objects.filter(pk=open_one.pk).update(state="failed")
    Deadline.objects.create(dag_run=run, dag_id="d", alert_index=1, deadline_time=now, created_at=now)
    Deadline.objects.filter(pk=pending.pk).update(state="missed")
    process_end(triggerer.pk)
    StateChange.objects.create(dag_run=asset_run(), from_state="queued", to_state="running", at=now)
    for _ in range(2):
        follower.follow(utcnow() + timedelta(seconds=LAG_SECONDS))
    assert counted("job_end", job_name="triggererjob") == 1
    assert counted("asset.updates") == counted("asset.triggered_dagruns") == 1
    assert (counted("callbacks.delivered"), counted("callbacks.failed")) == (1, 1)
    assert counted("deadline_alerts.callback_success", dag_id="d") == counted("dag.callback_exceptions", dag_id="d") == 1
    assert counted("deadline_alerts.deadline_created", dag_id="d") == 1
    assert counted("deadline_alerts.deadline_missed", dag_id="d", dagrun_id="r") == 1


def asset_run() -> DagRun:
    return make_run(make_dag("fed"), run_type="asset_triggered")


def callback(kind: Kind, state: str) -> Callback:
    return Callback.objects.create(kind=kind, dag_id="d", dedupe_key=str(new_id()), state=state, created_at=utcnow())
