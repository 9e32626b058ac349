"""The logs of all runs of a DAG that were due in a window of time are searched at once, the newest run first (C10-e)."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import User
from dags_app.models import Dag
from orchestrator.kernel.ids import new_id
from runs.log_search import Bounds
from runs.logs import log_file
from runs.models import DagRun, TaskInstance, TaskInstanceHistory
from runs.pages import dag_logs, due_window, log_hits
from runs.pages.log_places import place_of
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.accounts.world import fill, stranger
from tests.integration.ui.costs import queries_of
from tests.integration.ui.logs import hits_of_all_pages, said, write_log
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db
PAGE = "/dags/d/log_search"
DAY = {"after": "2026-01-05T00:00:00Z", "before": "2026-01-06T00:00:00Z"}
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due_window, "utcnow", lambda: NOON + timedelta(seconds=30))


@pytest.fixture
def dag() -> Dag:
    """Three runs an hour apart, each with a task that logged its begin and an error."""
    dag = make_dag("d")
    for number in range(3):
        tried(due(dag, f"r{number}", NOON - number * HOUR), "t", f"begin of r{number}")
    return dag


@pytest.fixture
def viewer() -> Client:
    return client_of("Viewer")


def due(dag: Dag, run_id: str, at: datetime) -> DagRun:
    return make_run(dag, run_id, run_after=at, run_type="scheduled", state="success")


def tried(run: DagRun, task_id: str, text: str, **fields: Any) -> TaskInstance:
    """A try with a log of two lines."""
    ti = make_ti(run, task_id, state="success", start_date=NOON, end_date=NOON, **fields)
    write_log(ti, [said(text), said("part-7 is odd", level="error")])
    return ti


def earlier(ti: TaskInstance, try_number: int) -> None:
    """A try before, with a log of its own."""
    names = {"dag_run": ti.dag_run, "dag_id": ti.dag_id, "run_id": ti.run_id, "task_id": ti.task_id, "map_index": ti.map_index}
    row = TaskInstanceHistory.objects.create(pk=new_id(), try_number=try_number, state="failed", **names)
    write_log(row, [said(f"begin of try {try_number}")])


def page(client: Client, **query: Any) -> Any:
    """The page of a search in the day of the runs, where no other window is given."""
    return client.get(PAGE, {"q": "begin", **DAY, **query}, follow=True)


def found(client: Client, **query: Any) -> list[str]:
    """The runs of the lines that are found."""
    return [hit.attempt.run_id for hit in page(client, **query).context["hits"].rows]


def searched_on(client: Client, between: Any = lambda: None, **query: Any) -> list[tuple[str, str, int, int]]:
    """Run, task, index and try of all hits, page after page, with something that happens after the first one."""
    rows = (hit.attempt for hit in hits_of_all_pages(lambda place: page(client, **query, **place), between))
    return [(row.run_id, row.task_id, row.map_index, row.try_number) for row in rows]


def test_c10e_a_text_is_found_in_all_runs_the_newest_first(dag: Dag, viewer: Client) -> None:
    assert found(viewer, q="BEGIN") == ["r0", "r1", "r2"]
    assert found(viewer, q="nowhere") == []
    assert found(viewer, q=r"^begin of r[12]$", regex="on") == ["r1", "r2"]
    assert found(viewer, q="", level="error") == ["r0", "r1", "r2"]
    assert found(viewer, level="error") == []


def test_c10e_a_hit_names_its_run_task_and_time_and_leads_to_its_line(dag: Dag, viewer: Client) -> None:
    answer = page(viewer, q="part-7")
    hit, text = answer.context["hits"].rows[1], answer.content.decode()
    address = f"/dags/d/runs/r1/tasks/t?try=1&at={hit.position}#B{hit.position}"
    assert hit.position > 0 and f'href="{address.replace("&", "&amp;")}"' in text
    assert 'href="/dags/d/runs/r1" title="r1">Jan 05 11:00:00 UTC · scheduled</a>' in text
    assert "2026-01-05 12:00:01 UTC" in text and "<mark>part-7</mark> is odd" in text
    assert f'id="B{hit.position}"' in viewer.get(address.partition("#")[0]).content.decode()


def test_c10e_both_ends_of_the_window_belong_to_it(dag: Dag, viewer: Client) -> None:
    assert found(viewer, after="2026-01-05T11:00:00Z", before="2026-01-05T12:00:00Z") == ["r0", "r1"]
    assert found(viewer, after="2026-01-05T11:00:01Z", before="2026-01-05T11:59:59Z") == []
    assert found(viewer, after="2026-01-05T11:00:00Z", before="2026-01-05T11:00:00Z") == ["r1"]
    assert found(viewer, after="2026-01-05T12:00:00+01:00", before="2026-01-05T12:59:59+01:00") == ["r1"]


def test_c10e_without_a_window_the_last_24_hours_are_searched_and_stand_in_the_address(dag: Dag, viewer: Client) -> None:
    due(dag, "old", NOON - 25 * HOUR)
    tried(due(dag, "edge", NOON - 24 * HOUR + timedelta(minutes=1)), "t", "begin")
    answer = viewer.get(PAGE, {"q": "begin", "after": "", "before": "", "task": ""})
    assert answer["Location"] == f"{PAGE}?q=begin&after=2026-01-04T12%3A01%3A00Z&before=2026-01-05T12%3A01%3A00Z"
    text = viewer.get(answer["Location"]).content.decode()
    assert "4 lines in 4 of 4 logs, the newest run first, of runs due from " in text
    assert "2026-01-04 12:01:00 UTC" in text and "2026-01-05 12:01:00 UTC" in text and "the last 24 hours" in text
    assert found(viewer, after="", before="2026-01-05T11:30:00Z") == ["r1", "r2", "edge"]


def test_c10e_times_without_a_zone_are_on_the_clock_of_the_person_and_in_utc_in_the_address(dag: Dag) -> None:
    client = client_of("Viewer")
    User.objects.filter(username="viewer").update(preferences={"timezone": "Europe/Berlin"})
    query = {"q": "begin", "after": "2026-01-05T11:59", "before": "2026-01-05T12:01"}
    answer = client.get(PAGE, query)
    assert parse_qs(urlsplit(answer["Location"]).query)["after"] == ["2026-01-05T10:59:00Z"]
    shown = client.get(answer["Location"])
    assert [hit.attempt.run_id for hit in shown.context["hits"].rows] == ["r1"]
    text = shown.content.decode()
    assert 'name="after" value="2026-01-05T11:59"' in text and "Times are Europe/Berlin" in text
    assert "Jan 05 12:00:00 CET" in text


@pytest.mark.parametrize(
    ("query", "words", "field"),
    [
        ({"after": "yesterday"}, "From: “yesterday” is no time; write one like", "after"),
        ({"before": "2026-02-30T00:00"}, "To: “2026-02-30T00:00” is no time", "before"),
        ({"after": "2026-01-06T00:00Z", "before": "2026-01-05T00:00Z"}, "From is after To", "after"),
        ({"after": "", "before": "0001-01-01T00:00:00Z"}, "before the beginning of the calendar", "before"),
        ({"before": "0001-01-01T00:00:00+14:00"}, "is no time", "before"),
    ],
)
def test_c10e_a_window_that_makes_no_sense_is_named_and_nothing_is_searched(
    dag: Dag, viewer: Client, query: dict[str, str], words: str, field: str
) -> None:
    answer = page(viewer, **query)
    text = answer.content.decode()
    assert answer.status_code == 400 and words in text and 'role="alert"' in text
    assert 'value="begin"' in text and answer.context["hits"].rows == []
    assert answer.context["wrong"] == field and text.count('aria-invalid="true"') == 1


def test_c10e_an_expression_that_is_none_is_named(dag: Dag, viewer: Client) -> None:
    answer = page(viewer, q="[", regex="on")
    assert "Not a regular expression: unterminated character set" in answer.content.decode()
    assert "Look further" not in answer.content.decode()


def test_c10e_one_task_is_searched_with_all_its_indexes_and_tries(dag: Dag, viewer: Client) -> None:
    run = DagRun.objects.get(run_id="r1")
    for index, try_number in ((0, 1), (1, 3)):
        ti = tried(run, "m", "begin", map_index=index, try_number=try_number, rendered_map_index=f"part {index}")
    earlier(ti, 1)
    earlier(ti, 2)
    assert searched_on(viewer, task="m") == [("r1", "m", 0, 1), ("r1", "m", 1, 3), ("r1", "m", 1, 2), ("r1", "m", 1, 1)]
    text = page(viewer, task="m").content.decode()
    assert 'href="/dags/d/runs/r1/tasks/m/mapped/1?try=2&amp;at=0#B0"' in text and "m [part 1]" in text
    assert "No run tried the task nope in this time" in page(viewer, task="nope").content.decode()
    assert "has no task of this id" in page(viewer, task="nope").content.decode()


def test_c10e_more_than_a_page_is_reached_by_going_on_though_runs_come_and_go(
    dag: Dag, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_hits, "MOST_HITS", 1)
    every = [("r0", "t", -1, 1), ("r1", "t", -1, 1), ("r2", "t", -1, 1)]
    answer = page(viewer)
    assert "Look further" in answer.content.decode() and "this came to the run due" in answer.content.decode()
    assert searched_on(viewer) == every
    assert searched_on(viewer, lambda: tried(due(dag, "new", NOON + HOUR), "t", "begin")) == every
    newest = ("new", "t", -1, 1)
    assert searched_on(viewer, lambda: DagRun.objects.get(run_id="new").delete()) == [newest, *every]
    assert searched_on(viewer, lambda: DagRun.objects.get(run_id="r1").delete()) == [every[0], every[2]]


def test_i7_one_request_reads_all_runs_within_one_bound(dag: Dag, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_hits, "Bounds", lambda: Bounds(left=1))
    assert len(page(viewer).context["hits"].rows) == 1
    assert [run for run, *_ in searched_on(viewer)] == ["r0", "r1", "r2"]


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_i7_more_logs_than_are_read_at_once_are_all_reached_each_once(
    dag: Dag, viewer: Client, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(dag_logs, "MOST_LOGS", most)
    run = DagRun.objects.get(run_id="r1")
    # In the order of a language “a” comes before “B”, and “é” before “z”.
    for task_id in ("B", "a", "z", "é"):
        ti = tried(run, task_id, "begin", try_number=3)
        earlier(ti, 2)
    for index in range(3):
        tried(run, "m", "begin", map_index=index)
    of_run = [("B", -1, 3), ("B", -1, 2), ("a", -1, 3), ("a", -1, 2), ("m", 0, 1), ("m", 1, 1), ("m", 2, 1), ("t", -1, 1)]
    of_run += [("z", -1, 3), ("z", -1, 2), ("é", -1, 3), ("é", -1, 2)]
    expected = [("r0", "t", -1, 1), *(("r1", *row) for row in of_run), ("r2", "t", -1, 1)]
    assert searched_on(viewer) == expected
    assert "of more than " in page(viewer).content.decode()


def test_i7_a_task_with_more_tries_than_are_read_at_once_does_not_hold_the_search(
    dag: Dag, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dag_logs, "MOST_LOGS", 2)
    ti = tried(DagRun.objects.get(run_id="r0"), "a", "begin", try_number=9)
    for number in range(1, 9):
        earlier(ti, number)
    seen = searched_on(viewer)
    assert seen[:3] == [("r0", "a", -1, 9), ("r0", "a", -1, 8), ("r0", "a", -1, 7)]
    assert [run for run, task, *_ in seen if task == "t"] == ["r0", "r1", "r2"]


def test_i7_more_runs_cost_no_more_queries(dag: Dag, viewer: Client) -> None:
    path = f"{PAGE}?q=begin&after=2026-01-01T00%3A00%3A00Z&before=2026-01-06T00%3A00%3A00Z"
    queries_of(viewer, path)
    few = queries_of(viewer, path)
    for number in range(3, 40):
        ti = tried(due(dag, f"r{number}", NOON - number * HOUR), "t", "begin", try_number=2)
        earlier(ti, 1)
    assert queries_of(viewer, path) == few
    assert len(viewer.get(path).context["hits"].rows) == 77


def test_c10e_runs_due_at_the_same_instant_are_all_found(dag: Dag, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        tried(due(dag, f"same{number}", NOON), "t", "begin")
    monkeypatch.setattr(dag_logs, "MOST_LOGS", 2)
    assert [run for run, *_ in searched_on(viewer)] == ["same3", "same2", "same1", "same0", "r0", "r1", "r2"]


def test_c10e_a_log_that_is_gone_is_counted_and_passed_over(dag: Dag, viewer: Client) -> None:
    log_file(TaskInstance.objects.get(run_id="r1")).unlink()
    answer = page(viewer)
    assert [hit.attempt.run_id for hit in answer.context["hits"].rows] == ["r0", "r2"]
    assert "2 lines in 3 of 3 logs (1 without a file), the newest run first" in answer.content.decode()


def test_c10e_only_the_logs_of_this_dag_are_searched(dag: Dag, viewer: Client) -> None:
    tried(due(make_dag("other"), "r0", NOON), "t", "begin elsewhere")
    assert found(viewer) == ["r0", "r1", "r2"]
    assert found(viewer, q="elsewhere") == []


def test_c10e_who_may_not_see_a_dag_finds_nothing_of_its_logs() -> None:
    names = fill()
    path = f"/dags/{names['dag_id']}/log_search?q=e"
    assert Client().get(path)["Location"].startswith("/auth/login/")
    assert client_of("Viewer").get(path, follow=True).status_code == 200
    stranger()
    client = Client()
    client.force_login(User.objects.get(username="stranger"))
    assert client.get(path, follow=True).status_code == 404
    assert client.get("/dags/nope/log_search?q=e").status_code == 404


def _keys() -> list[str]:
    time = -int(NOON.timestamp() * 1_000_000)
    key = (time, -1), "t", -1, -1
    return [
        "x",
        "1.2.3",
        "0.1.-1.0..a",
        place_of(((time, -1, 3), *key[1:])),
        place_of(((10**17, -1), *key[1:])),
        place_of(((-(10**17), -1), *key[1:])),
        place_of(((time, 5), *key[1:])),
    ]


@pytest.mark.parametrize("place", _keys())
def test_a_place_that_makes_no_sense_breaks_nothing(dag: Dag, viewer: Client, place: str) -> None:
    assert page(viewer, **{"from": place}).status_code == 200


def test_a_place_of_another_kind_of_search_is_the_beginning(dag: Dag, viewer: Client) -> None:
    assert found(viewer, **{"from": "0.1.-1.0..a"}) == ["r0", "r1", "r2"]


def test_an_index_that_no_database_knows_breaks_nothing(dag: Dag, viewer: Client) -> None:
    key = (-int(NOON.timestamp() * 1_000_000), -DagRun.objects.get(run_id="r0").pk), "t", 10**16, -1
    assert found(viewer, **{"from": place_of(key)}) == ["r1", "r2"]


def test_c10e_the_page_teaches_where_nothing_is_asked_found_or_there(dag: Dag, viewer: Client) -> None:
    text = viewer.get(PAGE).content.decode()
    assert "Search what the tasks of all runs wrote" in text and 'href="?level=error">Errors of the last 24 hours' in text
    assert 'name="after" value="2026-01-04T12:01"' in text and 'name="before" value=""' in text
    assert "Nothing matches" in page(viewer, q="nowhere").content.decode()
    nothing = page(viewer, after="2025-01-01T00:00:00Z", before="2025-01-02T00:00:00Z").content.decode()
    assert "No run was due in this time" in nothing and 'href="/dags/d/runs"' in nothing
    week = "?q=begin&amp;after=2025-12-29T12%3A00%3A00Z"
    assert f'<a href="{week}">7 days</a>' in nothing


def test_the_pages_of_a_dag_a_run_and_a_task_lead_to_the_search_of_all_runs(dag: Dag, viewer: Client) -> None:
    link = f'href="{PAGE}" data-key="l" aria-keyshortcuts="l" title="Search the logs of all runs; l key">Logs</a>'
    assert link in viewer.get("/dags/d").content.decode()
    assert f'href="{PAGE}" aria-current="page">Logs</a>' in viewer.get(PAGE).content.decode()
    assert f'href="{PAGE}?task=t"' in viewer.get("/dags/d/tasks/t").content.decode()
    assert f'formaction="{PAGE}"' in viewer.get("/dags/d/runs/r1/log_search").content.decode()
    assert f'formaction="{PAGE}" name="task" value="t"' in viewer.get("/dags/d/runs/r1/tasks/t/log_search").content.decode()


def test_every_time_on_the_page_tells_its_zone(dag: Dag, viewer: Client) -> None:
    assert page(viewer).content.decode().count(" UTC</time>") >= 5
