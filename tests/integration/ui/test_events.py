"""The audit log tells who did what, when and why, and what it was before; also for one DAG, run or task instance."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog, DagRule, User
from accounts.roles import Role
from runs.pages.events import changes, events_of, facts
from tests.factories import NOON, make_dag
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return client_of("Viewer", name="vic")


def event(name: str = "clear_dag_run", **fields: Any) -> AuditLog:
    return AuditLog.objects.create(event=name, **{"owner": "ann", "dag_id": "etl", "when": NOON, **fields})


def found(client: Client, **query: Any) -> list[str]:
    answer = client.get("/events", query, follow=True)
    assert answer.status_code == 200, answer.content.decode()
    return [row.event for row in answer.context["list"].rows]


def test_c26_each_filter_of_the_audit_log_narrows_it(client: Client) -> None:
    event(
        "odd", owner="bob", dag_id="other", run_id="r9", task_id="load", map_index=3, try_number=2, request_id="abc",
        when=NOON - timedelta(days=2),
    )  # fmt: skip
    event("plain")
    assert found(client) == ["plain", "odd"]
    for query in (
        *({"dag_id_pattern": "oth"}, {"event_pattern": "od"}, {"owner_pattern": "bob"}, {"run_id_pattern": "r9"}),
        *(
            {"task_id_pattern": "load"},
            {"map_index": "3"},
            {"try_number": "2"},
            {"request_id": "abc"},
            {"before": "2026-01-04T00:00"},
        ),
    ):
        assert found(client, **query) == ["odd"], query
    assert found(client, after="2026-01-05T00:00") == ["plain"] and found(client, order_by="event") == ["odd", "plain"]


def test_c26_a_row_says_what_was_changed_why_and_by_which_token(client: Client) -> None:
    make_dag("etl", dag_display_name="Nightly load")
    event(
        run_id="r1", before={"state": "failed", "note": None}, after={"state": "queued", "note": None}, reason="bad input",
        extra='{"only_failed": true, "dag_id": "etl", "run_on_latest_version": false, "empty": null}', token_name="ci",
    )  # fmt: skip
    text = client.get("/events").content.decode()
    for said in (
        "clear dag run",
        "Nightly load",
        "/dags/etl/runs/r1",
        "<del>failed</del>",
        "<ins>queued</ins>",
        "bad input",
        "only failed",
    ):
        assert said in text, said
    assert "with the token ci" in text and "empty" not in text


def test_what_was_written_by_other_versions_is_shown_as_it_is(client: Client) -> None:
    event(extra="not json", before=["a"], after=None, dag_id=None, owner=None)
    event(extra="[1, 2]", run_id="r", dag_id=None, task_id="t", map_index=4)
    text = client.get("/events").content.decode()
    assert "not json" in text and "the platform" in text and "[1, 2]" in text
    assert changes(None, {"a": 1}) == [("a", "", "1")] and changes({"a": True}, {"b": 2}) == [
        ("a", "yes", "nothing"),
        ("b", "nothing", "2"),
    ]
    assert facts("x" * 999)[0][1] == "x" * 300 and changes(None, None) == facts(None) == []


def test_the_rows_of_a_place_are_those_of_it(client: Client) -> None:
    for name, place in {
        "dag": {},
        "run": {"run_id": "r1"},
        "all": {"run_id": "r1", "task_id": "t"},
        "one": {"run_id": "r1", "task_id": "t", "map_index": 1},
        "two": {"run_id": "r1", "task_id": "t", "map_index": 2},
    }.items():
        event(name, **place)
    event("other", dag_id="other", run_id="r1")
    assert {row.event for row in events_of("etl")} == {"dag", "run", "all", "one", "two"}
    assert {row.event for row in events_of("etl", "r1")} == {"run", "all", "one", "two"}
    assert {row.event for row in events_of("etl", "r1", "t")} == {"all", "one", "two"}
    assert {row.event for row in events_of("etl", "r1", "t", 1)} == {"all", "one"}


def test_the_log_of_a_place_leaves_out_what_each_row_would_repeat(rf: RequestFactory) -> None:
    from runs.pages.events import events_page

    event("mine", run_id="r1", task_id="t")
    request = rf.get("/dags/etl/runs/r1/events")
    request.user = User.objects.create_user("p")
    request.session = {}  # type: ignore[assignment]
    text = events_page(request, "runs/_events.html", {"dag_id": "etl", "run_id": "r1"}).content.decode()  # type: ignore[attr-defined]
    assert "mine" in text and ">Task<" in text and ">Run<" not in text and ">DAG<" not in text


def test_c07_the_log_pages_by_keyset_with_as_many_queries_for_many(client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/events").status_code == 200
        return len(seen)

    event()
    few = queries()
    for number in range(40):
        event(f"e{number}", dag_id=f"d{number}")
    assert queries() == few
    for number in range(40, 60):
        event(f"e{number}", dag_id=f"d{number}")
    assert queries() == few + 1  # What does not fit on one page is counted.
    url, names = "/events", []
    while url:
        page = client.get(url).context["list"]
        names += [row.event for row in page.rows]
        url = f"/events{page.next_url}" if page.next_url else ""
    assert names == [f"e{number}" for number in reversed(range(60))] + ["clear_dag_run"]


def test_c30a_events_of_hidden_dags_are_not_told() -> None:
    make_dag("etl")
    make_dag("secret")
    event("seen")
    event("unseen", dag_id="secret")
    event("own", dag_id=None, owner="narrow")
    client = client_of("Viewer", name="narrow")
    DagRule.objects.create(user=User.objects.get(username="narrow"), dag_id="etl", role=Role.VIEWER)
    assert found(client) == ["own", "seen"]


def test_csv_of_the_log_is_safe_for_spreadsheets(client: Client) -> None:
    event(reason='=HYPERLINK("x")', before={"state": "a"}, after={"state": "b"})
    text = b"".join(client.get("/events?format=csv").streaming_content).decode()
    assert "'=HYPERLINK" in text and "state: a → b" in text
