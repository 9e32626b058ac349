"""The list of DAGs: newest runs, how they fail, tabs, filters, switches for many, at a constant cost (C07-a, C13-a, C24-d)."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditLog, DagRule, SavedView, User
from accounts.roles import Role
from dags_app.models import Dag, DagFavorite, DagTag
from orchestrator.kernel.clock import utcnow
from runs.models import DagRun
from runs.pages.dags.newest import newest_runs, reach
from runs.pages.dags.spark import bars
from runs.pages.usual import deviation, usual
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.costs import queries_of
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db


def failing(dag_id: str = "etl", **of_task: Any) -> DagRun:
    dag = make_dag(dag_id, owners="ann, bob", timetable_summary="0 6 * * *", timetable_description="At 06:00")
    DagTag.objects.create(dag=dag, name="sales")
    make_run(dag, "old", state="success", end_date=NOON + timedelta(seconds=30), logical_date=None)
    run = make_run(dag, "new", state="failed", run_after=NOON + timedelta(hours=1), end_date=NOON + timedelta(seconds=64))
    make_ti(run, "later", state="upstream_failed")
    values = {"cause": "user_exception", "cause_detail": "ValueError: no <rows>\nmore", "end_date": NOON} | of_task
    make_ti(run, "load", state="failed", **values)
    return run


def rows(client: Client, query: str = "") -> list[str]:
    return [dag.pk for dag in client.get(f"/dags{query}").context["list"].rows]


def newest() -> dict[str, list[DagRun]]:
    return newest_runs(dict(Dag.objects.annotate(since=reach()).values_list("pk", "since")))


def test_the_newest_runs_are_by_run_after_also_without_logical_dates() -> None:
    dag, other = make_dag("a"), make_dag("b")
    for number in range(20):
        make_run(dag, f"r{number}", run_after=NOON + timedelta(minutes=number), logical_date=None)
    make_run(other, "only", run_after=NOON)
    make_dag("none")
    found = newest()
    assert [run.run_id for run in found["a"]] == [f"r{number}" for number in range(6, 20)]
    assert [run.run_id for run in found["b"]] == ["only"] and found["none"] == []


def test_runs_that_were_due_at_the_same_time_are_not_more_than_asked() -> None:
    dag = make_dag("a")
    for number in range(20):
        make_run(dag, f"r{number}", run_after=NOON)
    assert len(newest()["a"]) == 14


def test_bars_are_as_high_as_runs_were_long_and_signed_where_they_did_not_go_well() -> None:
    dag = make_dag("a")
    long = make_run(dag, "1", state="success", end_date=NOON + timedelta(seconds=100))
    short = make_run(dag, "2", state="failed", end_date=NOON + timedelta(seconds=1))
    waiting = make_run(dag, "3", state="queued", start_date=None)
    first, second, third = bars([long, short, waiting], 14)
    assert first.height > second.height >= third.height > 0
    assert [bar.glyph for bar in (first, second, third)] == ["", "✕", "…"]
    assert first.x == 11 * 10 and third.x == 13 * 10
    assert first.title.endswith("1 m 40 s") and "UTC" in first.title
    assert bars([waiting], 14)[0].height > 0


def test_a_duration_is_told_against_the_usual_one_only_where_it_differs() -> None:
    assert (deviation(138, 100), deviation(50, 100), deviation(101, 100)) == ("+38 %", "\N{MINUS SIGN}50 %", "")
    assert (deviation(None, 100), deviation(5, None), deviation(0.2, 0.1), deviation(5000, 100)) == ("", "", "", "50 times")


def test_two_durations_say_nothing_about_what_is_usual() -> None:
    assert (usual([]), usual([5, 7]), usual([9, 5, 7])) == (None, None, 7)


def test_a_failing_dag_shows_its_error_without_a_click() -> None:
    failing()
    page = client_of("User").get("/dags").content.decode()
    assert "ValueError: no &lt;rows&gt;" in page and 'href="/dags/etl/runs/new/tasks/load?at=error"' in page
    assert "/dags/etl/runs/new/clear?mode=failed" in page
    assert "more" not in page.split("ValueError")[1][:40]
    assert 'title="0 6 * * *">At 06:00' in page


@pytest.mark.parametrize(
    ("of_task", "said"),
    [
        ({"cause_detail": None}, "raised an exception"),
        ({"cause": None, "cause_detail": ""}, "nobody stored why"),
        ({"map_index": 3}, "[3]"),
    ],
)
def test_a_failure_is_said_whatever_is_known_of_it(of_task: dict[str, Any], said: str) -> None:
    failing(**of_task)
    assert said in client_of("Viewer").get("/dags").content.decode()


def test_a_run_that_failed_without_a_failed_task_says_so() -> None:
    make_run(make_dag("a"), "r", state="failed", stopped_by="ann")
    make_run(make_dag("b"), "r", state="failed")
    page = client_of("Viewer").get("/dags").content.decode()
    assert "It was stopped by ann." in page and "No task of it failed" in page


def test_quick_tabs_lead_to_what_they_count() -> None:
    failing()
    make_run(make_dag("busy"), "r", state="running")
    make_dag("off", is_paused=True)
    make_dag("gone", is_stale=True)
    client = client_of("Viewer", name="vic")
    DagFavorite.objects.create(dag_id="off", user_name="vic")
    DagFavorite.objects.create(dag_id="etl", user_name="somebody else")
    tabs = {tab.label: tab for tab in client.get("/dags").context["tabs"]}
    assert {label: tab.count for label, tab in tabs.items()} == {
        "All": 3,
        "Failing": 1,
        "Running": 1,
        "Paused": 1,
        "Favourites": 1,
    }
    expected = {"All": ["busy", "etl", "off"], "Failing": ["etl"], "Running": ["busy"], "Paused": ["off"], "Favourites": ["off"]}
    for label, tab in tabs.items():
        assert rows(client, tab.url) == expected[label], label
        assert [t.label for t in client.get(f"/dags{tab.url}").context["tabs"] if t.is_open] == [label]


def test_filters_are_those_of_the_rest_list_and_words_search_anywhere() -> None:
    failing()
    make_dag("other", dag_display_name="Etl too", owners="bobby")
    client = client_of("Viewer")
    assert rows(client, "?q=TL") == ["etl", "other"] and rows(client, "?q=tl+too") == ["other"]
    assert rows(client, "?tags=sales") == rows(client, "?owners=ann") == ["etl"]
    assert rows(client, "?owners=bob") == ["etl", "other"]
    assert rows(client, "?tags=sales&tags=no&tags_match_mode=all") == []
    assert rows(client, "?order_by=-dag_id") == ["other", "etl"]
    wrong = client.get("/dags?paused=maybe")
    assert wrong.status_code == 400 and "paused" in wrong.content.decode()
    assert "Nothing matches" in client.get("/dags?q=nothing").content.decode()


def test_the_list_comes_as_csv() -> None:
    failing()
    lines = b"".join(client_of("Viewer").get("/dags?format=csv")).decode().splitlines()
    assert lines[0].startswith("DAG,Runs,Last run") and lines[1].startswith("etl,success failed,failed,")


def test_an_empty_list_teaches_where_a_dag_file_goes() -> None:
    page = client_of("Viewer").get("/dags").content.decode()
    assert "No DAG yet" in page and "from airflow.sdk import dag" in page and "/dags</code>" in page
    make_dag("gone", is_stale=True)
    assert "exclude_stale=false" in client_of("User").get("/dags").content.decode()


def test_chosen_dags_are_paused_by_the_service_each_audited() -> None:
    for name in ("a", "b", "c"):
        make_dag(name)
    make_dag("d", is_paused=True)
    client = client_of("User", name="ann")
    answer = client.post(
        "/switch_dags", {"selected": ["a", "b", "d", "nope"], "is_paused": "true", "next": "/dags?q=x"}, follow=True
    )
    assert answer.redirect_chain == [("/dags?q=x", 302)] and "2 DAGs are paused." in answer.content.decode()
    assert set(Dag.objects.filter(is_paused=True).values_list("pk", flat=True)) == {"a", "b", "d"}
    assert sorted(AuditLog.objects.filter(event="paused", owner="ann").values_list("dag_id", flat=True)) == ["a", "b"]
    client.post("/switch_dags", {"all": "yes", "query": "paused=true&q=a", "is_paused": "false"})
    assert not Dag.objects.get(pk="a").is_paused and Dag.objects.get(pk="b").is_paused
    nothing = client.post("/switch_dags", {"all": "yes", "query": "paused=maybe", "is_paused": "false"}, follow=True)
    assert "what was chosen is on already, or not yours to change" in nothing.content.decode()


def test_roles_and_rules_decide_who_switches_what() -> None:
    for name in ("own", "seen", "secret_one"):
        make_dag(name)
    viewer = client_of("Viewer")
    assert viewer.post("/switch_dags", {"selected": ["own"], "is_paused": "true"}).status_code == 403
    page = viewer.get("/dags").content.decode()
    assert 'name="selected"' not in page and "/trigger" not in page and "disabled" in page
    client = client_of("Op", name="ruled")
    user = User.objects.get(username="ruled")
    DagRule.objects.create(user=user, dag_id="own", role=Role.USER)
    DagRule.objects.create(user=user, dag_id="seen", role=Role.VIEWER)
    page = client.get("/dags").content.decode()
    assert "secret_one" not in page
    assert ("/dags/own/trigger" in page, "/dags/seen/trigger" in page) == (True, False)
    client.post("/switch_dags", {"selected": ["own", "seen", "secret_one"], "is_paused": "true"})
    client.post("/switch_dags", {"all": "yes", "query": "", "is_paused": "true"})
    assert set(Dag.objects.filter(is_paused=True).values_list("pk", flat=True)) == {"own"}
    assert client.get("/dags").context["tabs"][0].count == 2


# Two more for whom rules limit: his rules, and what the sidebar counts for him alone.
@pytest.mark.parametrize(("is_ruled", "most"), [(False, 8), (True, 10)])
def test_c07a_the_list_takes_eight_queries_however_many_dags_there_are(is_ruled: bool, most: int) -> None:
    client = client_of("User")
    if is_ruled:
        DagRule.objects.create(user=User.objects.get(username="user"), dag_id="d*", role=Role.USER)
    addresses = (
        "/dags",
        "/dags?q=d",
        "/dags?owners=ann&tags=sales",
        "/dags?last_dag_run_state=failed&order_by=-last_run_start_date",
    )
    failing("d0")
    for address in addresses:
        client.get(address)
    few = [queries_of(client, address) for address in addresses]
    for number in range(1, 25):
        run = failing(f"d{number}")
        make_run(run.dag, "again", state="running", run_after=utcnow())
        DagFavorite.objects.create(dag=run.dag, user_name="user")
        SavedView.objects.create(user=User.objects.get(username="user"), page="dags", name=f"v{number}", query="q=d")
    failing("d_more")
    assert [queries_of(client, address) for address in addresses] == few
    assert max(few) <= most


def test_a_page_behind_the_last_one_says_how_many_there_are() -> None:
    for number in range(3):
        make_dag(f"d{number}")
    client = client_of("Viewer")
    found = [client.get(f"/dags?limit=2&offset={offset}").context["list"] for offset in (0, 2, 40)]
    assert [(len(view.rows), view.total) for view in found] == [(2, 3), (1, 3), (0, 3)]


def test_views_of_the_same_name_are_offered_each() -> None:
    make_dag("d")
    client, other = client_of("Viewer", name="ann"), client_of("Viewer", name="bob")
    for name in ("ann", "bob"):
        user = User.objects.get(username=name)
        SavedView.objects.create(user=user, page="dags", name="ours", query="q=d", is_shared=True)
        SavedView.objects.create(user=user, page="dags", name=f"of {name}", query="paused=true")
    assert [view.name for view in client.get("/dags").context["list"].saved_views] == ["of ann", "ours", "ours"]
    assert [view.name for view in other.get("/dags").context["list"].saved_views] == ["of bob", "ours", "ours"]


def test_a_page_of_fifty_dags_is_small() -> None:
    import gzip

    for number in range(50):
        run = failing(f"a_longer_name_of_a_dag_{number}")
        for other in range(12):
            make_run(run.dag, f"scheduled__2026-01-0{other % 9 + 1}T0{number % 9}:{other:02d}:00+00:00", state="success")
    content = client_of("User").get("/dags?limit=50").content
    assert len(gzip.compress(content)) < 60_000


@pytest.mark.parametrize(
    "run_id", ["manual__2026-01-05T12:00:00+00:00", "<b> 'x' & \"y\"", "a?b#c%d", "é~@+", "2026/01", "a%2Fb%252F/c%25"]
)
def test_a_bar_leads_to_its_run_whatever_the_run_is_called(run_id: str) -> None:
    make_run(make_dag("a"), run_id, state="success")
    client = client_of("Viewer")
    page = client.get("/dags").content.decode()
    (url,) = re.findall(r'<a href="(/dags/a/runs/[^"]*)" aria-label', page)
    assert client.get(html.unescape(url)).status_code == 200 and "<b>" not in page
