"""The logs of all tries of a task instance, and of a run, are searched at once by text, expression and level, within bounds (C10-e)."""

from contextlib import ExitStack
from typing import Any

import pytest
from django.test import Client

from orchestrator.kernel.ids import new_id
from runs import log_expression
from runs.log_expression import Expression, ExpressionError
from runs.log_search import Bounds
from runs.models import TaskInstance, TaskInstanceHistory
from runs.pages import log_hits
from runs.pages.run import logs
from runs.views import log_search
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.costs import queries_of
from tests.integration.ui.logs import hits_of_all_pages, said, write_log
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db
PAGE = "/dags/d/runs/r/tasks/t/log_search"


@pytest.fixture
def ti() -> TaskInstance:
    """A task that failed twice and is in its third try."""
    made = make_ti(make_run(make_dag("d"), "r"), "t", state="success", start_date=NOON, end_date=NOON, try_number=3, max_tries=2)
    names = {"dag_run": made.dag_run, "dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1}
    for number in (1, 2):
        archived = TaskInstanceHistory.objects.create(pk=new_id(), try_number=number, state="failed", **names)
        write_log(archived, [said(f"begin {number}"), said(f"Größe of part-{number} is odd", level="error"), said("the end")])
    write_log(made, [said("begin 3"), said("\x1b[31mall\x1b[0m good, rows <b>", rows=17)])
    return made


@pytest.fixture
def viewer() -> Client:
    return client_of("Viewer")


def found(client: Client, **query: Any) -> list[tuple[int, str]]:
    """The tries and matches of a search."""
    return [(hit.attempt.try_number, hit.match) for hit in client.get(PAGE, query).context["hits"].rows]


def test_c10e_a_text_is_found_in_all_tries_the_newest_first(ti: TaskInstance, viewer: Client) -> None:
    assert found(viewer, q="BEGIN") == [(3, "begin"), (2, "begin"), (1, "begin")]
    assert found(viewer, q="gRÖSSE") == []
    assert found(viewer, q="GRÖßE of") == [(2, "Größe of"), (1, "Größe of")]
    assert found(viewer, q="all good, ROWS") == [(3, "all good, rows")]  # whatever its colours
    assert found(viewer, q="rows=17") == [(3, "rows=17")]
    assert found(viewer, q="<") == [(3, "<")]
    assert found(viewer, q="nowhere") == []


def test_c10e_a_hit_leads_to_its_line_in_its_try_and_shows_it_as_text(ti: TaskInstance, viewer: Client) -> None:
    page = viewer.get(PAGE, {"q": "good"})
    hit = page.context["hits"].rows[0]
    text = page.content.decode()
    assert f'href="/dags/d/runs/r/tasks/t?try=3&amp;at={hit.position}#B{hit.position}"' in text
    assert "all <mark>good</mark>, rows &lt;b&gt;" in text and "\x1b" not in text
    assert "2026-01-05 12:00:01 UTC" in text
    assert (
        "all good, rows &lt;b&gt; · logger=task · <mark>rows=17</mark></a>"
        in viewer.get(PAGE, {"q": "rows=17", "regex": "on"}).content.decode()
    )
    shown = viewer.get("/dags/d/runs/r/tasks/t", {"try": 3, "at": hit.position}).content.decode()
    assert f'id="B{hit.position}"' in shown


def test_c10e_levels_choose_with_a_text_and_alone(ti: TaskInstance, viewer: Client) -> None:
    assert [number for number, _ in found(viewer, level="error")] == [2, 1]
    assert found(viewer, q="begin", level="error") == []
    assert found(viewer, q="part-1", level=["error", "warning"]) == [(1, "part-1")]
    assert len(found(viewer, level="info")) == 6
    assert found(viewer, level="nonsense") == found(viewer) == []


def test_c10e_an_expression_is_found_and_one_that_is_none_is_named(ti: TaskInstance, viewer: Client) -> None:
    assert found(viewer, q=r"PART-\d", regex="on") == [(2, "part-2"), (1, "part-1")]
    assert found(viewer, q=r"^rows=(\d+)$", regex="on") == [(3, "rows=17")]
    assert found(viewer, q="part-[2-9]", regex="on", level="error") == [(2, "part-2")]
    assert "Not a regular expression: unterminated character set" in viewer.get(PAGE, {"q": "[", "regex": "on"}).content.decode()


def test_c10e_an_expression_that_never_ends_is_ended() -> None:
    with Expression("(a+)+$", most_seconds=0.5) as expression, pytest.raises(ExpressionError, match="takes too long"):
        expression.spans(["a" * 40 + "!"])
    assert expression._child.returncode is not None


def test_c10e_an_expression_that_never_ends_is_told_to_the_person(
    ti: TaskInstance, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_log(ti, [said("a" * 40 + "!")])
    monkeypatch.setattr(log_hits, "Expression", lambda pattern: Expression(pattern, most_seconds=0.5))
    assert "takes too long" in viewer.get(PAGE, {"q": "(a+)+$", "regex": "on"}).content.decode()


def test_i7_lines_of_many_letters_are_sent_to_the_process_in_parts(
    ti: TaskInstance, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_log(ti, [said("ш" * 32_000) for _ in range(100)] + [said("ж")])
    sent: list[int] = []
    spans = Expression.spans
    monkeypatch.setattr(Expression, "spans", lambda self, texts: sent.append(sum(map(len, texts))) or spans(self, texts))
    assert found(viewer, q="^ж", regex="on") == [(3, "ж")]
    assert len(sent) >= 3 and max(sent) < 1_100_000


def test_c10e_an_expression_is_found_where_it_stands_behind_any_letters() -> None:
    text = "\ud83d half of a pair,\r\n\u2028 Größe, ж and 🦉: here"
    with Expression(r"ж and \W: here$") as expression:
        assert expression.spans([text]) == [(text.index("ж"), len(text))]


def test_i7_few_expressions_run_at_once_and_whoever_finds_no_place_is_told(
    ti: TaskInstance, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_expression, "MOST_SECONDS_WAITED", 0)
    with ExitStack() as held:
        for _ in range(log_expression.MOST_AT_ONCE):
            held.enter_context(Expression("a"))
        assert "Too many people look for" in viewer.get(PAGE, {"q": "begin", "regex": "on"}).content.decode()
    for _ in range(log_expression.MOST_AT_ONCE + 1):
        with pytest.raises(ExpressionError, match="Not a regular"):
            Expression("[")
    assert len(found(viewer, q="begin", regex="on")) == 3


def test_c10e_more_than_a_page_is_reached_by_going_on(ti: TaskInstance, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_hits, "MOST_HITS", 2)
    seen, place = [], ""
    for _ in range(4):
        page = viewer.get(PAGE, {"q": "begin"} | ({"from": place} if place else {}))
        seen.append([hit.attempt.try_number for hit in page.context["hits"].rows])
        place = page.context["hits"].next_place
        assert ("Look further" in page.content.decode()) is bool(place)
        if not place:
            break
    assert seen == [[3, 2], [1]]


def test_i7_one_request_reads_all_tries_within_one_bound(
    ti: TaskInstance, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_hits, "Bounds", lambda: Bounds(left=1))
    seen, place = [], ""
    for _ in range(4):
        hits = viewer.get(PAGE, {"q": "begin", "from": place}).context["hits"]
        seen.append([hit.attempt.try_number for hit in hits.rows])
        place = hits.next_place
    assert (seen, place) == ([[3], [2], [1], []], "")


def test_i7_more_tries_cost_no_more_queries(ti: TaskInstance, viewer: Client) -> None:
    viewer.get(PAGE)
    few = queries_of(viewer, f"{PAGE}?q=begin")
    names = {"dag_run": ti.dag_run, "dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1}
    TaskInstanceHistory.objects.bulk_create(
        TaskInstanceHistory(pk=new_id(), try_number=number, state="failed", **names) for number in range(4, 30)
    )
    assert queries_of(viewer, f"{PAGE}?q=begin") == few


def test_the_log_leads_to_the_search_of_all_tries_where_there_are_some(ti: TaskInstance, viewer: Client) -> None:
    text = viewer.get("/dags/d/runs/r/tasks/t").content.decode()
    assert f'action="{PAGE}"' in text and ">All tries</button>" in text
    TaskInstanceHistory.objects.all().delete()
    assert ">All tries</button>" not in viewer.get("/dags/d/runs/r/tasks/t").content.decode()


def test_an_index_of_a_mapped_task_has_its_own_search(ti: TaskInstance, viewer: Client) -> None:
    index = make_ti(ti.dag_run, "m", map_index=4, state="success", try_number=1, start_date=NOON)
    write_log(index, [said("only here")])
    page = viewer.get("/dags/d/runs/r/tasks/m/mapped/4/log_search", {"q": "only"})
    assert 'href="/dags/d/runs/r/tasks/m/mapped/4?try=1&amp;at=0#B0"' in page.content.decode()
    assert viewer.get("/dags/d/runs/r/tasks/m/log_search").status_code == 302


RUN = "/dags/d/runs/r/log_search"


def test_c10e_all_logs_of_a_run_are_searched_those_that_failed_first(ti: TaskInstance, viewer: Client) -> None:
    for index, state in ((0, "success"), (1, "failed")):
        write_log(
            make_ti(ti.dag_run, "m", map_index=index, state=state, rendered_map_index=f"part {index}"), [said("begin here")]
        )
    make_ti(ti.dag_run, "never", state="upstream_failed", try_number=0)
    page = viewer.get(RUN, {"q": "begin"})
    rows = page.context["hits"].rows
    expected = [("m", 1, 1), ("m", 0, 1), ("t", -1, 3), ("t", -1, 2), ("t", -1, 1)]
    assert [(hit.attempt.task_id, hit.attempt.map_index, hit.attempt.try_number) for hit in rows] == expected
    text = page.content.decode()
    assert 'href="/dags/d/runs/r/tasks/m/mapped/1?try=1&amp;at=0#B0"' in text and "m [part 1]" in text
    assert "5 lines in 5 of 5 logs, those of tasks that failed first, 20 tasks at most." in text


def test_c10e_a_search_of_a_run_goes_on_where_it_stopped_though_new_tries_came(
    ti: TaskInstance, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_hits, "MOST_HITS", 2)
    place = viewer.get(RUN, {"q": "begin"}).context["hits"].next_place
    write_log(make_ti(ti.dag_run, "a", state="failed"), [said("begin new")])
    hits = viewer.get(RUN, {"q": "begin", "from": place}).context["hits"]
    assert ([hit.attempt.try_number for hit in hits.rows], hits.next_place) == ([1], "")


def searched_on(client: Client, between: Any) -> list[str]:
    """The tasks of all hits of the run, page after page, with something that happens after the first page."""
    hits = hits_of_all_pages(lambda place: client.get(RUN, {"q": "begin", **place}), between)
    return [hit.attempt.task_id for hit in hits]


def test_c10e_going_on_in_a_run_skips_no_log_though_a_task_fails_meanwhile(
    ti: TaskInstance, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ti.delete()
    rows = {name: make_ti(ti.dag_run, name, state="running") for name in "abc"}
    for row in rows.values():
        write_log(row, [said("begin")])
    monkeypatch.setattr(log_hits, "MOST_HITS", 1)
    failing = TaskInstance.objects.filter(pk=rows["c"].pk)
    assert searched_on(viewer, lambda: failing.update(state="failed", end_date=NOON)) == ["a", "b", "c"]
    # Now it is the first, and stays it though it is cleared.
    assert searched_on(viewer, lambda: failing.update(state=None)) == ["c", "a", "b"]


def test_c10e_going_on_in_a_run_skips_no_log_though_a_task_is_tried_again_or_is_gone(
    ti: TaskInstance, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ti.delete()
    rows = {name: make_ti(ti.dag_run, name, state="failed" if name == "b" else "success") for name in "abc"}
    for row in rows.values():
        write_log(row, [said("begin"), said("begin")])
    monkeypatch.setattr(log_hits, "MOST_HITS", 1)

    def try_again() -> None:
        names = {"dag_run": ti.dag_run, "dag_id": "d", "run_id": "r", "task_id": "b", "map_index": -1}
        TaskInstanceHistory.objects.create(pk=rows["b"].pk, try_number=1, state="failed", **names)
        rows["b"].delete()
        make_ti(ti.dag_run, "b", state="queued", try_number=2)

    assert searched_on(viewer, try_again) == ["b", "b", "a", "a", "c", "c"]
    assert searched_on(viewer, lambda: TaskInstance.objects.filter(task_id="a").delete()) == ["a", "b", "b", "c", "c"]


@pytest.mark.parametrize(
    "place", ["x", "1.2.3", "0.1.-1.0.!!!.a", "0.1.-1.0.AAAA.a", "-1.1.-1.0..a", "9.²..0..a", "0.1.-1.0.é.a"]
)
def test_a_place_that_makes_no_sense_is_the_beginning(ti: TaskInstance, viewer: Client, place: str) -> None:
    assert found(viewer, q="begin", **{"from": place}) == [(3, "begin"), (2, "begin"), (1, "begin")]
    assert len(viewer.get(RUN, {"q": "begin", "from": place}).context["hits"].rows) == 3


def test_i7_a_run_of_very_many_tries_is_cut_and_says_so(
    ti: TaskInstance, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = queries_of(viewer, f"{RUN}?q=begin")
    for number in range(20):
        write_log(make_ti(ti.dag_run, f"t{number}", state="success"), [said("begin")])
    assert queries_of(viewer, f"{RUN}?q=begin") == few
    monkeypatch.setattr(logs, "MOST_LOGS", 3)
    monkeypatch.setattr(log_search, "MOST_LOGS", 3)
    page = viewer.get(RUN, {"q": "begin"})
    assert page.context["hits"].looked_at == 3 and "more logs than are looked through" in page.content.decode()


def test_a_change_of_the_run_does_not_search_again(ti: TaskInstance, viewer: Client) -> None:
    page = viewer.get(RUN, {"q": "begin"}).content.decode()
    assert f'hx-get="{RUN}" hx-select="#run-head"' in page and 'hx-get=""' not in page


def test_the_page_of_a_run_leads_to_the_search_of_its_logs(ti: TaskInstance, viewer: Client) -> None:
    assert f'href="{RUN}" data-key="l"' in viewer.get("/dags/d/runs/r").content.decode()
