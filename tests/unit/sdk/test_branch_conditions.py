"""Which branch a time, a day or a run chooses, as Airflow 3.3.2 decides it."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest

from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.operators.datetime import BranchDateTimeOperator
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.operators.latest_only import LatestOnlyOperator
from orchestrator.sdk.operators.weekday import BranchDayOfWeekOperator
from orchestrator.sdk.sensors.time import TimeSensor
from orchestrator.sdk.sensors.time_delta import TimeDeltaSensor

BRANCHES = {"follow_task_ids_if_true": "yes", "follow_task_ids_if_false": "no"}


def by_time(zone: str, lower: Any, upper: Any, hour: int) -> str:
    with DAG("d", schedule=None, start_date=pendulum.datetime(2024, 1, 1, tz=zone)):
        task = BranchDateTimeOperator(task_id="t", target_lower=lower, target_upper=upper, use_task_logical_date=True, **BRANCHES)
    return str(task.choose_branch({"logical_date": pendulum.datetime(2026, 1, 5, hour, 15)}))


@pytest.mark.parametrize(
    ("zone", "lower", "upper", "hours"),
    [
        ("UTC", dt.time(6), dt.time(20), {8, 13}),
        ("UTC", dt.time(20), dt.time(6), {22}),  # over midnight: until 6 of the next day, and not since 20 of the day before
        ("UTC", None, dt.time(6), {1}),
        ("UTC", dt.time(20), None, {22}),
        ("Europe/Berlin", dt.time(9), dt.time(20), {8, 13}),  # 8:15 UTC is 9:15 there
        ("Europe/Berlin", dt.time(10), dt.time(20), {13}),
        ("America/New_York", dt.time(6), dt.time(20), {13, 22}),
        ("America/New_York", dt.time(9, tzinfo=dt.UTC), None, {13, 22}),
        ("UTC", dt.datetime(2026, 1, 5, 3), dt.time(9), {8}),
    ],
)
def test_the_time_chooses_the_branch(zone: str, lower: Any, upper: Any, hours: set[int]) -> None:
    assert {hour for hour in (1, 8, 13, 22) if by_time(zone, lower, upper, hour) == "yes"} == hours


def test_the_day_is_that_of_the_dags_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    sunday_night = pendulum.datetime(2026, 1, 4, 23, 30)
    monkeypatch.setattr("orchestrator.sdk.timezone.utcnow", lambda: sunday_night)
    for zone, expected in (("UTC", "no"), ("Europe/Berlin", "yes")):
        with DAG("d", schedule=None, start_date=pendulum.datetime(2024, 1, 1, tz=zone)):
            task = BranchDayOfWeekOperator(task_id="t", week_day="Monday", **BRANCHES)
        assert task.choose_branch({}) == expected


def test_a_time_sensor_reads_its_time_in_the_dags_zone() -> None:
    for target in (dt.time(5), dt.time(5, tzinfo=dt.UTC)):
        with DAG("d", schedule=None, start_date=pendulum.datetime(2024, 1, 1, tz="Asia/Tokyo")):
            task = TimeSensor(task_id="t", target_time=target)
        assert task.target_datetime.astimezone(dt.UTC).hour == 20


def latest_only(schedule: Any) -> LatestOnlyOperator:
    with DAG("d", schedule=schedule, start_date=pendulum.datetime(2024, 1, 1)):
        task = LatestOnlyOperator(task_id="t")
        task >> EmptyOperator(task_id="after")
    return task


def follows(schedule: Any, run_type: str, hours_ago: int | None, length: int = 1) -> bool:
    """Whether a run goes on whose interval ended so many hours before this one; None: a run without dates."""
    end = pendulum.now("UTC").start_of("hour").subtract(hours=hours_ago or 0)
    start = end.subtract(hours=length)
    dates = {"data_interval_start": start, "data_interval_end": end, "logical_date": end}
    if hours_ago is None:
        dates = dict.fromkeys(dates)
    task = latest_only(schedule)
    run = SimpleNamespace(run_type=run_type, run_after=pendulum.now("UTC"), **dates)
    return task.choose_branch({"task": task, "dag_run": run}) == ["after"]


@pytest.mark.parametrize("run_type", ["scheduled", "backfill", "operator_triggered", "asset_triggered"])
def test_only_the_latest_run_goes_on(run_type: str) -> None:
    assert follows("@hourly", run_type, 0)
    assert follows("@hourly", run_type, None)
    assert not follows("@hourly", run_type, 3)
    assert not follows("@hourly", run_type, 3, length=0)
    assert not follows(dt.timedelta(hours=1), run_type, 4)


def test_a_manual_run_always_goes_on_and_so_does_one_that_nothing_follows() -> None:
    assert follows("@hourly", "manual", 9)
    assert follows("@once", "scheduled", 9)
    assert follows(None, "operator_triggered", 9)


def test_a_number_as_delta_counts_minutes() -> None:
    with DAG("d", schedule=None):
        tasks = [TimeDeltaSensor(task_id=f"t{delta}", delta=delta) for delta in (3, "4")]
    since = pendulum.now("UTC").subtract(seconds=200)
    assert [task.poke({"data_interval_end": since}) for task in tasks] == [True, False]
