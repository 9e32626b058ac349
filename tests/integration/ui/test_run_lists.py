"""The lists of runs take the filters of the REST list, in words that people write, and show as much for one run as for many."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import DagRule, User
from accounts.roles import Role
from dags_app.models import Dag
from runs.models import DagRun
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def dag() -> Dag:
    return make_dag("etl")


@pytest.fixture
def client(dag: Dag) -> Client:
    return client_of("User", name="ann")


def ids(client: Client, path: str = "/dag_runs", **query: Any) -> list[str]:
    answer = client.get(path, query, follow=True)
    assert answer.status_code == 200, answer.content.decode()
    return [run.run_id for run in answer.context["list"].rows]


def test_c07_each_filter_of_the_list_of_runs_narrows_it(client: Client, dag: Dag) -> None:
    make_run(
        dag, "odd", state="failed", run_type="scheduled", conf={"size": "huge"}, triggering_user_name="bob", partition_key="2026-01",
        bundle_version="abc", start_date=NOON, end_date=NOON + timedelta(minutes=5), run_after=NOON - timedelta(days=3), logical_date=NOON,
    )  # fmt: skip
    make_run(make_dag("other"), "plain", state="success", run_after=NOON, end_date=NOON + timedelta(seconds=1))
    assert ids(client) == ["plain", "odd"]
    for query in (
        *({"state": "failed"}, {"run_type": "scheduled"}, {"dag_id_pattern": "et%"}, {"run_id_pattern": "od"}),
        *({"conf_contains": "huge"}, {"triggering_user_name_pattern": "bob"}, {"partition_key_pattern": "2026"}),
        *({"bundle_version": "abc"}, {"duration_gte": "4 m"}, {"run_after_lte": "2026-01-03T00:00"}, {"dag_id": "etl"}),
        *({"logical_date_gte": "2026-01-05T12:00"}, {"end_date_gte": "2026-01-05T12:04"}),
    ):
        assert ids(client, **query) == ["odd"], query
        assert client.get("/dag_runs", query, follow=True).context["list"].is_filtered
    assert ids(client, state=["failed", "success"]) == ["plain", "odd"]
    assert ids(client, dag_version="2") == ids(client, start_date_gte="2027-01-01T00:00") == []
    assert ids(client, order_by="duration") == ["plain", "odd"]
    assert ids(client, "/dags/etl/runs") == ["odd"]


@pytest.mark.parametrize(
    ("zone", "year", "day"), [("Asia/Tokyo", 9999, "12-31T23:59:59"), ("America/New_York", 1, "01-01T00:00:01")]
)
def test_times_at_the_ends_of_the_calendar_break_no_page(client: Client, dag: Dag, zone: str, year: int, day: str) -> None:
    when = f"{year:04d}-{day}"
    run = make_run(dag, "odd", state="success", run_after=datetime.fromisoformat(when).replace(tzinfo=UTC), logical_date=None)
    User.objects.filter(username="ann").update(preferences={"timezone": zone})
    pages = (
        "/dag_runs",
        f"/dag_runs?run_after_gte={when}Z",
        f"/dag_runs?run_after_lte={when}",
        "/dags/etl/runs",
        f"/dags/etl/runs/{run.run_id}",
    )
    paths = (*pages, f"/dags/etl/trigger?logical_date={when}Z")
    assert [path for path in paths if client.get(path, follow=True).status_code >= 500] == []


def test_times_and_durations_become_what_the_address_takes(client: Client, dag: Dag) -> None:
    User.objects.filter(username="ann").update(preferences={"timezone": "Europe/Berlin"})
    sent = client.get("/dag_runs?state=&run_after_gte=2026-01-05T13:00&duration_lte=1+h+30+m&conf_contains=")
    assert sent["Location"] == "/dag_runs?run_after_gte=2026-01-05T12%3A00%3A00Z&duration_lte=5400"
    shown = client.get(sent["Location"]).context["list"]
    assert [(chip.label, chip.value) for chip in shown.chips] == [
        ("Run after from", "2026-01-05 13:00 CET"),
        ("Duration at most", "1 h 30 m"),
    ]
    fields = {part.filter.name: part.value for field in shown.fields for part in field.parts}
    assert (fields["run_after_gte"], fields["duration_lte"]) == ("2026-01-05T13:00", "1 h 30 m")


def test_one_press_turns_a_state_on_or_off(client: Client, dag: Dag) -> None:
    urls = {
        item.value: (item.url, item.is_on) for item in client.get("/dag_runs?dag_id_pattern=e&state=failed").context["list"].quick
    }
    assert urls["failed"] == ("?dag_id_pattern=e", True) and urls["running"] == ("?dag_id_pattern=e&state=running", False)


def test_what_an_address_gets_wrong_is_said_above_an_empty_list(client: Client, dag: Dag) -> None:
    make_run(dag)
    for query, said in (
        ("state=nope", "Valid values are"),
        ("duration_gte=soon", "Duration at least: Input should be a valid number"),
        ("run_after_gte=yesterday", "Run after from: Input should be a valid datetime"),
        ("order_by=secret", "disallowed"),
        ("cursor=x", "Invalid cursor"),
        ("partition_date_gte=2026-01-01", "require a specific dag_id"),
    ):
        answer = client.get(f"/dag_runs?{query}")
        assert answer.status_code == 400 and said in answer.content.decode(), query
    answer = client.get("/dags/etl/runs?partition_date_gte=2026-01-01")
    assert answer.status_code == 400 and "is not partitioned" in answer.content.decode()
    assert client.get("/dags/nope/runs").status_code == 404


def test_c07_pages_by_keyset_reach_every_run_once_and_lead_back(client: Client, dag: Dag) -> None:
    for number in range(7):
        make_run(dag, f"r{number}", run_after=NOON + timedelta(hours=number // 2))
    url, seen = "/dag_runs?limit=3", []
    while url:
        found = client.get(url).context["list"]
        seen += [run.run_id for run in found.rows]
        last, url = found, f"/dag_runs{found.next_url}" if found.next_url else ""
    assert seen == ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]
    back = client.get(f"/dag_runs{last.previous_url}").context["list"]
    assert [run.run_id for run in back.rows] == ["r3", "r2", "r1"] and back.shown_total == "7"
    assert "cursor" not in back.first_url and "limit=3" in back.first_url


def test_c07_the_list_asks_as_much_for_one_run_as_for_many(client: Client, dag: Dag) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/dag_runs").status_code == 200
        assert not [query for query in seen if '"document"' in query["sql"]]
        return len(seen)

    make_run(dag, "first", clear_number=1)
    few = queries()
    for number in range(30):
        make_run(make_dag(f"d{number}"), f"r{number}", clear_number=1, conf={"a": number}, note="n")
    assert queries() == few <= 12


def test_odd_runs_are_shown_without_what_they_lack(client: Client, dag: Dag) -> None:
    run = make_run(dag, "bare", start_date=None, logical_date=None, state="queued")
    DagRun.objects.filter(pk=run.pk).update(created_dag_version=None, dag_id="gone")
    page = client.get("/dag_runs").content.decode()
    assert "/dags/gone/runs/bare" in page and "queued" in page
    assert client.get("/dags/etl/runs").context["list"].total == 0


def test_the_columns_that_somebody_chose_are_kept(client: Client, dag: Dag) -> None:
    make_run(dag, conf={"secret": 1})
    shown = client.get("/dag_runs").context["list"]
    assert shown.shows("conf") and not shown.shows("logical_date")
    known = [column.name for column in shown.spec.columns]
    data = {"list": "runs", "known": known, "shown": ["state", "run_id", "logical_date"], "next": "/dag_runs?state=running"}
    assert client.post("/settings/columns", data)["Location"] == "/dag_runs?state=running"
    again = client.get("/dag_runs")
    assert [head.column.name for head in again.context["list"].heads] == ["state", "run_id", "logical_date"]
    assert "secret" not in again.content.decode()
    assert client.get("/dags/etl/runs").context["list"].shows("conf")
    client.post("/settings/columns", data | {"shown": []})
    client.post("/settings/columns", {"list": "other", "known": ["a"], "shown": ["a"]})
    assert not client.get("/dag_runs").context["list"].shows("conf")
    client.post("/settings/columns", data | {"reset": "yes"})
    assert client.get("/dag_runs").context["list"].shows("conf")


def test_csv_has_every_matching_run_and_no_formulas(client: Client, dag: Dag) -> None:
    make_run(dag, "=cmd()", note="+1+1", end_date=NOON + timedelta(seconds=90))
    make_run(dag, "failed", state="failed", run_after=NOON - timedelta(days=1))
    answer = client.get("/dag_runs?state=running&format=csv")
    text = b"".join(answer.streaming_content).decode()
    assert answer["Content-Disposition"] == 'attachment; filename="runs.csv"'
    lines = text.splitlines()
    assert len(lines) == 2 and lines[0].startswith("State,DAG,Run,Type")
    assert "'=cmd()" in text and "'+1+1" in text and ",90.0," in text
    assert client.get("/dag_runs?state=nope&format=csv").status_code == 400


def test_saved_views_keep_filters_under_a_name(client: Client, dag: Dag) -> None:
    data = {"page": "runs", "query": "state=failed", "name": "Broken", "next": "/dag_runs", "is_shared": "on"}
    assert client.post("/views/save", data)["Location"] == "/dag_runs"
    assert 'href="?state=failed">Broken' in client_of("Viewer").get("/dag_runs").content.decode()


def test_c30a_runs_of_hidden_dags_are_not_listed_and_viewers_get_no_bar(client: Client, dag: Dag) -> None:
    make_run(dag, "seen")
    make_run(make_dag("secret"), "unseen")
    assert client.get("/dag_runs").context["bulk"] is not None
    assert client_of("Viewer").get("/dag_runs").context["bulk"] is None
    narrow = client_of("User", name="narrow")
    DagRule.objects.create(user=User.objects.get(username="narrow"), dag_id="etl", role=Role.VIEWER)
    assert ids(narrow) == ["seen"] and narrow.get("/dags/etl/runs").context["bulk"] is None
    assert narrow.get("/dags/secret/runs").status_code == 404


def test_c07_a_page_far_down_begins_where_it_is_in_the_index(client: Client, dag: Dag) -> None:
    for number in range(6):
        make_run(dag, f"r{number}", run_after=NOON + timedelta(hours=number))
    first = client.get("/dag_runs?limit=2").context["list"]
    second = client.get(f"/dag_runs{first.next_url}").context["list"]
    for url, sign in ((second.next_url, "<="), (second.previous_url, ">=")):
        with CaptureQueriesContext(connection) as seen:
            client.get(f"/dag_runs{url}")
        assert any(f'"run_after" {sign} ' in query["sql"] and "ORDER BY" in query["sql"] for query in seen)


@pytest.mark.parametrize("state", ["failed", "running", "queued"])
def test_a_run_whose_id_has_a_slash_is_listed_and_has_its_pages(client: Client, dag: Dag, state: str) -> None:
    make_ti(make_run(dag, "scheduled__2026/01%2F02__a", state=state), state="failed")
    for path in ("/dag_runs", "/dags/etl/runs", "/dags/etl", "/task_instances", "/timeline", "/", "/search?q=2026"):
        assert client.get(path).status_code == 200
    (url,) = set(re.findall(r'href="(/dags/etl/runs/[^"]*)" title', client.get("/dag_runs").content.decode()))
    for tab in ("", "/details", "/graph", "/tasks/t", "/clear"):
        assert "2026/01%2F02" in html.unescape(client.get(f"{html.unescape(url)}{tab}").content.decode())
