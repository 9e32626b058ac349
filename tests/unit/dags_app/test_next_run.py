"""Decides whether the bounds of a DAG's runs come from the dates of DAG and tasks as in Airflow."""

from __future__ import annotations

from datetime import UTC, datetime

from dags_app.next_run import next_run, time_restriction
from orchestrator.sdk.definitions.timetables import CronTriggerTimetable, DataInterval, NullTimetable, encode_timetable
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def iso(number: int) -> str:
    return f"2026-01-{number:02}T00:00:00Z"


def test_the_earliest_start_date_of_dag_and_tasks_counts():
    dag = DagSpec("d", start_date=iso(5), tasks=[TaskSpec("a", start_date=iso(3)), TaskSpec("b")])
    assert time_restriction(dag).earliest == day(3)


def test_the_latest_end_date_counts_only_if_all_tasks_have_one():
    tasks = [TaskSpec("a", end_date=iso(7)), TaskSpec("b", end_date=iso(9))]
    assert time_restriction(DagSpec("d", tasks=tasks)).latest == day(9)
    assert time_restriction(DagSpec("d", tasks=[*tasks, TaskSpec("c")])).latest is None
    assert time_restriction(DagSpec("d", end_date=iso(20), tasks=[*tasks, TaskSpec("c")])).latest == day(20)


def test_the_run_after_the_last_one_is_the_next_firing():
    timetable = encode_timetable(CronTriggerTimetable("@daily", timezone="UTC"))
    dag = DagSpec("d", start_date=iso(1), catchup=True, timetable=timetable)
    assert next_run(dag, None).run_after == day(1)
    assert next_run(dag, DataInterval.exact(day(4))).run_after == day(5)


def test_a_dag_without_schedule_has_no_next_run():
    assert next_run(DagSpec("d", timetable=encode_timetable(NullTimetable())), None) is None
