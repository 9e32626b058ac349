"""The calendar of a DAG, past and planned, and how long its runs and tasks take."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from dags_app.models import Dag
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

DAILY = {"type": "CronDataIntervalTimetable", "expression": "0 0 * * *", "timezone": "UTC", "interval_offset": 0}


@pytest.fixture
def dag() -> Dag:
    return make_dag("etl", DagSpec(dag_id="etl", timetable=DAILY, tasks=[TaskSpec(task_id="t")]))


@pytest.fixture
def client(dag: Dag) -> Client:
    return client_of("Viewer", name="vic")


def seen(client: Client, query: str) -> Any:
    answer = client.get(f"/dags/etl/calendar{query}")
    assert answer.status_code == 200
    return answer.context["calendar"]


def days(calendar: Any) -> dict[str, str]:
    slots = [slot for month in calendar.months for week in month.weeks for slot in week]
    return {f"{slot.at:%m-%d}": slot.told for slot in slots if not slot.is_outside and slot.told != "no run"}


def test_c20_days_have_their_runs_by_run_after_also_without_a_logical_date(client: Client, dag: Dag) -> None:
    for number, state in enumerate(("success", "failed", "success", "running")):
        make_run(dag, f"r{number}", state=state, run_after=NOON + timedelta(hours=number), logical_date=None)
    make_run(dag, "other", state="success", run_after=NOON + timedelta(days=40), logical_date=NOON + timedelta(days=1))
    assert days(seen(client, "?at=2026-01")) == {"01-05": "1 failed, 1 running, 2 success"}
    assert days(seen(client, "?at=2026-01&show=failed")) == {"01-05": "1 failed"}
    assert days(seen(client, "?at=2026-01&by=logical_date")) == {"01-06": "1 success"}
    assert days(seen(client, "?at=2026-06&view=year")) == {"01-05": "1 failed, 1 running, 2 success", "02-14": "1 success"}
    ((_, hours),) = [item for item in seen(client, "?at=2026-01&view=hours").hours if item[0].day == 5]
    assert [slot.at.hour for slot in hours if slot.total] == [12, 13, 14, 15]


def test_days_are_those_of_the_persons_zone(client: Client, dag: Dag) -> None:
    make_run(dag, "late", state="success", run_after=datetime(2026, 1, 5, 23, 30, tzinfo=UTC))
    User.objects.filter(username="vic").update(preferences={"timezone": "Europe/Berlin"})
    assert days(seen(client, "?at=2026-01")) == {"01-06": "1 success"}


def test_planned_runs_are_shown_and_why_there_are_none(client: Client, dag: Dag) -> None:
    now = datetime.now(tz=UTC)
    due = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    Dag.objects.filter(pk="etl").update(
        next_dagrun_create_after=due, next_dagrun_data_interval_start=due, next_dagrun_data_interval_end=due
    )
    found = days(seen(client, f"?view=year&at={due:%Y-%m}"))
    assert found[f"{due:%m-%d}"] == "1 planned"
    assert seen(client, f"?at={due:%Y-%m}").note == ""
    Dag.objects.filter(pk="etl").update(is_paused=True)
    assert "paused" in seen(client, "").note
    odd = make_dag("odd", DagSpec(dag_id="odd", timetable={"type": "CronTriggerTimetable"}), next_dagrun_create_after=due)
    assert "cannot say its next runs" in client.get(f"/dags/{odd.pk}/calendar").context["calendar"].note


@pytest.mark.parametrize(
    "query", ["?at=", "?at=x-y", "?at=2026-99", "?at=0000-01", "?at=9000-12&view=year", "?at=1970-01", "?view=odd&by=id"]
)
def test_a_wrong_address_shows_a_calendar_all_the_same(client: Client, query: str) -> None:
    seen(client, query)


def test_durations_stack_the_waiting_on_the_work_and_name_the_slow_tasks(client: Client, dag: Dag) -> None:
    assert "No run has begun" in client.get("/dags/etl/durations").content.decode()
    for number in range(3):
        times = {"queued_at": NOON, "start_date": NOON + timedelta(seconds=30), "end_date": NOON + timedelta(seconds=90)}
        run = make_run(dag, f"r{number}", state="success", run_after=NOON + timedelta(days=number), **times)
        make_ti(run, "slow", state="success", duration=40.0 + number)
        make_ti(run, "fast", state="success", duration=1.0)
    page = client.get("/dags/etl/durations?runs=10")
    assert [(task.task_id, task.mean, task.number, task.share) for task in page.context["tasks"]] == [
        ("slow", 41.0, 3, 100),
        ("fast", 1.0, 3, 2),
    ]
    assert page.context["chart"].median.label == "1 m 00 s"
    assert page.context["chart"].bars[0].wait_height == pytest.approx(page.context["chart"].bars[0].height / 2, abs=1)
    assert "No backfill run has begun" in client.get("/dags/etl/durations?run_type=backfill").content.decode()
