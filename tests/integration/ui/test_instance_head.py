"""What stands above the pages of a task instance: tries, causes, waits, actions by role, with a constant number of queries."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import DagRun, Hold, Pool, TaskInstance, TaskInstanceHistory, XCom
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.costs import queries_of
from tests.integration.ui.logs import said, write_log
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db
PAGE = "/dags/d/runs/r/tasks/t"


@pytest.fixture
def run() -> DagRun:
    tasks = [
        TaskSpec(task_id="a", downstream_task_ids=["t"]),
        TaskSpec(
            task_id="t", upstream_task_ids=["a"], downstream_task_ids=["z"], extra_link_keys={"Job": "_link", "Bad": "_bad"}
        ),
        TaskSpec(task_id="z", upstream_task_ids=["t"]),
    ]
    Pool.objects.get_or_create(pool="default_pool", defaults={"slots": 128})
    return make_run(make_dag("d", DagSpec(dag_id="d", tasks=tasks)), "r")


def archived(ti: TaskInstance, **fields: Any) -> TaskInstanceHistory:
    names = {"dag_run": ti.dag_run, "dag_id": "d", "run_id": "r", "task_id": ti.task_id, "map_index": ti.map_index}
    return TaskInstanceHistory.objects.create(pk=make_pk(), **names, **fields)


def make_pk() -> Any:
    from orchestrator.kernel.ids import new_id

    return new_id()


def text_of(client: Client, path: str = PAGE, **query: Any) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def test_each_try_is_chosen_by_its_button_and_keeps_its_own_cause(run: DagRun) -> None:
    ti = make_ti(run, "t", state="success", try_number=2, max_tries=2, start_date=NOON, end_date=NOON, hostname="new-host")
    failed = {"state": "failed", "cause": "user_exception", "cause_detail": "ValueError: <b>no</b>", "hostname": "old-host"}
    archived(ti, try_number=1, start_date=NOON, end_date=NOON, **failed)
    client = client_of("Viewer")
    text = text_of(client)
    assert 'href="?try=1" title="Try 1: failed"' in text
    assert 'href="?try=2" aria-current="page" title="Try 2: success"' in text
    assert ("of 3" in text, "new-host" in text, "raised an exception" in text) == (True, True, False)
    old = text_of(client, **{"try": 1})
    assert "raised an exception" in old
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in old
    assert "old-host" in old


def test_a_task_between_two_tries_shows_the_one_that_failed_and_what_can_be_done(run: DagRun) -> None:
    later = NOON + timedelta(days=36500)
    ti = make_ti(run, "t", state="up_for_retry", try_number=1, max_tries=3, retry_at=later)
    archived(ti, try_number=1, state="failed", cause="exit_code", exit_code=3, start_date=NOON, end_date=NOON)
    text = text_of(client_of("User"))
    assert text.count(' title="Try ') == 1
    assert "exit code 3" in text
    assert "Retry now" in text
    assert "Give up" in text
    assert "Task t tries again at" in text
    assert "Retry now" not in text_of(client_of("Viewer"))


def test_a_viewer_has_no_buttons_that_act(run: DagRun) -> None:
    make_ti(run, "t", state="failed", start_date=NOON, end_date=NOON)
    reader, actor = text_of(client_of("Viewer")), text_of(client_of("User"))
    for path in ("clear", "mark", "delete", "note"):
        assert (f"{PAGE}/{path}" in reader, f"{PAGE}/{path}" in actor) == (False, True)


def test_the_cause_names_the_line_of_the_dag_file_and_leads_into_the_log(run: DagRun) -> None:
    from dags_app.models import DagCode, DagVersion

    code = DagCode.objects.create(pk="1" * 32, source_code="import x\n\ndef load():\n    raise ValueError\n")
    DagVersion.objects.update(code=code)
    ti = make_ti(run, "t", state="failed", cause="user_exception", cause_detail="ValueError", start_date=NOON, end_date=NOON)
    frames = [{"filename": "/dags/d.py", "lineno": 4, "name": "load"}]
    write_log(ti, [said("a"), said("failed", level="error", error_detail=[{"exc_type": "ValueError", "frames": frames}])])
    text = text_of(client_of("Viewer"))
    assert '<span class="fault">4      raise ValueError</span>' in text
    assert "/dags/d.py:4 in load" in text
    assert 'data-go="' in text


def test_neighbours_and_links_and_the_note_are_shown(run: DagRun) -> None:
    ti = make_ti(run, "t", state="success", start_date=NOON, end_date=NOON, note="see **this** <script>", note_user="ann")
    make_ti(run, "a", state="skipped")
    for index in range(3):
        make_ti(run, "z", state="failed" if index == 1 else "success", map_index=index)
    names = {"dag_run": run, "dag_id": "d", "run_id": "r", "task_id": "t", "timestamp": NOON}
    XCom.objects.create(key="_link", value='"https://jobs.example/1"', **names)
    XCom.objects.create(key="_bad", value='"javascript:alert(1)"', **names)
    text = text_of(client_of("Viewer"))
    assert 'href="/dags/d/runs/r/tasks/a"' in text
    assert "1 of 3" in text
    assert 'href="https://jobs.example/1"' in text
    assert "javascript:" not in text
    assert "<strong>this</strong>" in text
    assert "<script>" not in text.partition("note")[2].partition("</section>")[0]
    assert ti.pk


def test_what_is_usual_comes_from_earlier_successes(run: DagRun) -> None:
    for day in range(1, 5):
        earlier = make_run(run.dag, f"e{day}", run_after=NOON - timedelta(days=day), state="success")
        make_ti(earlier, "t", state="success", duration=10.0, start_date=NOON, end_date=NOON)
    later = make_run(run.dag, "later", run_after=NOON + timedelta(days=1))
    make_ti(later, "t", state="success", duration=500.0)
    make_ti(run, "t", state="success", duration=14.0, start_date=NOON, end_date=NOON)
    text = text_of(client_of("Viewer"))
    assert "usually 10 s, +40 %" in text
    assert text.count('class="bar-of') == 5
    assert 'href="/dags/d/runs/e1/tasks/t"' in text


def test_a_hold_is_said_and_can_be_released(run: DagRun) -> None:
    make_ti(run, "t", state=None, try_number=0, start_date=None)
    client = client_of("User")
    assert f"{PAGE}/hold" in text_of(client)
    Hold.objects.create(dag_run=run, task_id="t", held_by="ann", reason="<i>wait</i>", created_at=NOON)
    text = text_of(client)
    assert "Held by ann" in text
    assert "&lt;i&gt;wait&lt;/i&gt;" in text
    assert f"{PAGE}/release" in text


def test_odd_rows_break_no_page(run: DagRun) -> None:
    client = client_of("User")
    make_ti(run, "gone", state="removed", dag_version=None, try_number=0, hostname="", dispatch_id=None)
    make_ti(run, "t", state="running", start_date=None, hostname="h" * 900)
    make_ti(run, "m", state="failed", map_index=3, rendered_map_index="<b>x</b>", cause="never_heard_of")
    for path in ("tasks/gone", "tasks/t", "tasks/m/mapped/3", "tasks/gone/head", "tasks/m/mapped/3/head"):
        assert "<b>x</b>" not in text_of(client, f"/dags/d/runs/r/{path}")
    assert client.get("/dags/d/runs/r/tasks/m").headers["Location"] == "/dags/d/runs/r/tasks/m/mapped"
    for path in ("tasks/none", "tasks/m/mapped/9", "tasks/none/mapped", "tasks/m/head"):
        assert client.get(f"/dags/d/runs/r/{path}").status_code == 404
    assert client.get("/dags/d/runs/nope/tasks/t").status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_run(run: DagRun) -> None:
    ti = make_ti(run, "t", state="failed", cause="user_exception", start_date=NOON, end_date=NOON)
    make_ti(run, "a", state="success")
    client = client_of("User")
    few = queries(client)
    for index in range(200):
        make_ti(run, "z", state="success", map_index=index)
    for day in range(1, 30):
        make_ti(make_run(run.dag, f"e{day}", run_after=NOON - timedelta(days=day)), "t", state="success", duration=3.0)
    for number in range(-5, 0):
        archived(ti, try_number=number + 10, state="failed")
    assert queries(client) == few
    assert few <= 12


def queries(client: Client) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        text_of(client)
    return len(caught)


def test_a_task_that_failed_upstream_names_what_failed_above_it(run: DagRun) -> None:
    make_ti(run, "z", state="upstream_failed", try_number=0)
    make_ti(run, "t", state="upstream_failed", try_number=0)
    for index in range(6):
        make_ti(run, "a", state="failed", map_index=index, cause="user_exception", cause_detail="KeyError: <b>\nmore")
    text = text_of(client_of("Viewer"), "/dags/d/runs/r/tasks/z")
    assert 'href="/dags/d/runs/r/tasks/a/mapped/0#error"' in text
    assert "KeyError: &lt;b&gt;" in text
    assert "and 2 more" in text


def test_the_reason_of_a_wait_has_its_times_on_the_clock_of_the_person() -> None:
    from runs.templatetags.instance import zoned_instants

    shown = zoned_instants("<b> again at 2020-01-05T12:00:01.25Z, not 2020-99-99T12:00:00Z")
    assert shown.startswith("&lt;b&gt; again at <time datetime=")
    assert "2020-01-05 12:00 UTC" in shown
    assert "not 2020-99-99T12:00:00Z" in shown


def test_an_index_leads_to_those_beside_it_on_the_same_tab(run: DagRun) -> None:
    for index, label in ((0, "north"), (2, None), (5, "south")):
        make_ti(run, "t", map_index=index, state="success", rendered_map_index=label)
    client = client_of("Viewer")
    text = text_of(client, f"{PAGE}/mapped/2", **{"try": 1, "at": 7, "level": "error"})
    assert f'href="{PAGE}/mapped/0?level=error" data-key="[" aria-keyshortcuts="[" title="Previous index ( [ )"' in text
    assert f'href="{PAGE}/mapped/5?level=error" data-key="]"' in text
    assert "[north]</a>" in text and "[south]" in text
    assert f'href="{PAGE}/mapped/5/xcom" data-key="]"' in text_of(client, f"{PAGE}/mapped/2/xcom")
    assert f'href="{PAGE}/mapped/5/log_search?q=x&amp;regex=on" data-key="]"' in text_of(
        client, f"{PAGE}/mapped/2/log_search", q="x", regex="on"
    )
    assert "the first index" in text_of(client, f"{PAGE}/mapped/0") and "the last index" in text_of(client, f"{PAGE}/mapped/5")


def test_a_task_that_is_not_mapped_has_nothing_beside_it(run: DagRun) -> None:
    make_ti(run, "t", state="success")
    assert "ti-turns" not in text_of(client_of("Viewer"))


def test_i7_more_indexes_cost_no_more_queries(run: DagRun) -> None:
    for index in range(3):
        make_ti(run, "t", map_index=index, state="success")
    client = client_of("Viewer")
    text_of(client, f"{PAGE}/mapped/1")
    few = queries_of(client, f"{PAGE}/mapped/1")
    for index in range(3, 40):
        make_ti(run, "t", map_index=index, state="success")
    assert queries_of(client, f"{PAGE}/mapped/1") == few
