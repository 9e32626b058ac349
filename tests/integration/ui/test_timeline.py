"""The timeline shows when each DAG ran and will run, within a span that the address names (C07-a, C24-d)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import DagRule, User
from accounts.roles import Role
from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.pages.timeline.lanes import MOST_BARS, Lane
from runs.pages.timeline.window import window_of
from tests.factories import make_dag, make_run
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

HOURLY = {"type": "CronDataIntervalTimetable", "expression": "0 * * * *", "timezone": "UTC", "interval_offset": 0}


def hourly(dag_id: str, **fields: Any) -> Dag:
    # Not the next hour, which may begin before the page is asked for.
    due = utcnow().replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    start = due - timedelta(hours=1)
    times = {"next_dagrun_create_after": due, "next_dagrun_data_interval_start": start, "next_dagrun_data_interval_end": due}
    spec = DagSpec(dag_id=dag_id, timetable=HOURLY, tasks=[TaskSpec(task_id="t")], start_date="2026-01-01T00:00:00+00:00")
    return make_dag(dag_id, spec, **times | fields)


def lanes(client: Client, query: str = "") -> dict[str, Lane]:
    answer = client.get(f"/timeline{query}")
    assert answer.status_code == 200
    return {lane.dag.pk: lane for lane in answer.context["lanes"]}


def test_runs_are_bars_with_sign_and_link_also_without_a_logical_date() -> None:
    now = utcnow()
    times = {"start_date": now - timedelta(hours=2), "run_after": now - timedelta(hours=2), "logical_date": None}
    make_run(make_dag("etl"), "manual 1", state="failed", end_date=now - timedelta(hours=1), **times)
    make_run(make_dag("old"), "r", state="success", start_date=now - timedelta(days=9), end_date=now - timedelta(days=9))
    client = client_of("Viewer")
    found = lanes(client)
    assert set(found) == {"etl"}
    (bar,) = found["etl"].bars
    assert (bar.family, bar.glyph) == ("failed", "✕") and bar.title.startswith("failed, ") and bar.title.endswith("1 h 00 m")
    assert bar.width == pytest.approx(100 / 12, abs=0.1)
    page = client.get("/timeline").content.decode()
    assert 'href="/dags/etl/runs/manual%201' in page and 'class="now"' in page


def test_what_began_long_ago_and_goes_on_is_there_and_what_waits_too() -> None:
    now = utcnow()
    make_run(make_dag("long"), "r", state="running", start_date=now - timedelta(days=5), run_after=now - timedelta(days=5))
    make_run(make_dag("queue"), "r", state="queued", start_date=None, run_after=now - timedelta(minutes=5))
    found = lanes(client_of("Viewer"))
    assert set(found) == {"long", "queue"}
    assert found["long"].bars[0].x == 0 and found["long"].bars[0].width == pytest.approx(75, abs=0.5)


def test_the_schedule_is_shown_ahead_for_dags_that_are_on() -> None:
    hourly("on")
    hourly("off", is_paused=True)
    found = lanes(client_of("Viewer"), "?hours=12")
    assert set(found) == {"on"} and 2 <= len(found["on"].planned) <= 3
    assert found["on"].planned[0].title.startswith("planned for ") and found["on"].planned[0].x > 75
    assert lanes(client_of("Viewer", name="v2"), "?hours=12&until=2026-01-01T00:00:00Z") == {}


def test_a_schedule_that_cannot_be_worked_out_takes_nothing_from_the_others() -> None:
    hourly("good")
    broken = hourly("broken")
    broken.latest_version.document = '{"nonsense": 1'
    broken.latest_version.structure_hash = "other"
    broken.latest_version.save()
    hourly("none").latest_version.delete()
    found = lanes(client_of("Viewer"))
    assert set(found) == {"good", "broken", "none"} and len(found["broken"].planned) == 1


def test_many_runs_are_joined_and_the_bar_leads_to_what_failed() -> None:
    now, dag = utcnow(), make_dag("minutely")
    for number in range(MOST_BARS + 40):
        at = now - timedelta(minutes=number)
        state = "failed" if number == 50 else "success"
        make_run(dag, f"r{number}", state=state, start_date=at, run_after=at, end_date=at + timedelta(seconds=5))
    lane = lanes(client_of("Viewer"))["minutely"]
    assert len(lane.bars) < MOST_BARS and dict(lane.counts) == {"failed": 1, "success": MOST_BARS + 39}
    (failed,) = [bar for bar in lane.bars if bar.family == "failed"]
    assert failed.url.endswith("/runs/r50") and "1 failed" in failed.title


def test_the_span_comes_from_the_address_and_goes_with_the_clock_without_it() -> None:
    now = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
    window = window_of(QueryDict("hours=6"), now)
    assert (window.hours, window.is_fixed, window.now_x) == (6, False, 75.0)
    assert [tick.label for tick in window.ticks()] == ["Jan 05 08:00 UTC", *(f"{hour:02d}:00" for hour in range(9, 14))]
    fixed = window_of(QueryDict("hours=24&until=2026-01-04T00:00:00Z"), now)
    assert fixed.is_fixed and fixed.now_x is None and fixed.earlier == "2026-01-03T12:00:00Z"
    for odd in ("hours=7&until=x", "hours=&until=", "hours=-1&until=0001-01-01", "until=9999-12-31T23:59:59Z"):
        assert window_of(QueryDict(odd), now).hours == 12 and not window_of(QueryDict(odd), now).is_fixed


def test_an_empty_timeline_says_what_to_do() -> None:
    client = client_of("Viewer")
    assert "Nothing in this time" in client.get("/timeline").content.decode()
    assert "Show all DAGs" in client.get("/timeline?q=<x>").content.decode()


def test_a_stranger_to_a_dag_sees_no_row_of_it() -> None:
    make_run(make_dag("secret_one"), "r", state="running", start_date=utcnow())
    hourly("secret_two")
    client = client_of("Op", name="ruled")
    DagRule.objects.create(user=User.objects.get(username="ruled"), dag_id="own", role=Role.OP)
    assert "secret" not in client.get("/timeline").content.decode()


def test_c07_the_timeline_takes_as_many_queries_for_many_dags() -> None:
    client = client_of("Viewer")

    def queries() -> int:
        client.get("/timeline")  # reads the versions into memory
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/timeline").status_code == 200
        return len(seen)

    make_run(hourly("d0"), "r", state="running", start_date=utcnow())
    few = queries()
    for number in range(1, 30):
        make_run(hourly(f"d{number}"), "r", state="running", start_date=utcnow())
    assert queries() == few <= 9
