"""The page of a run: why it failed, why it waits, its tasks with what needs a person first, and when they ran."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dags_app.models import Dag, DagCode, DagVersion
from orchestrator.config import conf
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec
from runs import live
from runs.models import DagRun, HITLDetail, Hold, TaskInstance, TaskInstanceHistory
from runs.pages.run import log_evidence
from runs.reports import Report
from runs.transitions import finish
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.costs import queries_of
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

PATH = "/dags/shop/runs/r"
CODE = "def load(part):\n    key = 1\n    raise ValueError(part)\n"


def spec(number: int = 3) -> DagSpec:
    tasks = [
        TaskSpec(task_id="g.extract", task_group_id="g", downstream_task_ids=["load"]),
        TaskSpec(task_id="load", upstream_task_ids=["g.extract"], downstream_task_ids=["report"], is_mapped=True),
        TaskSpec(task_id="report", upstream_task_ids=["load"]),
        *(TaskSpec(task_id=f"t{place}") for place in range(number)),
    ]
    return DagSpec(dag_id="shop", tasks=tasks, task_groups=[TaskGroupSpec(None), TaskGroupSpec("g")])


@pytest.fixture
def dag() -> Dag:
    made = make_dag("shop", spec())
    code = DagCode.objects.create(pk="c" * 32, source_code=CODE)
    DagVersion.objects.filter(dag=made).update(code=code)
    return made


@pytest.fixture
def run(dag: Dag) -> DagRun:
    return make_run(dag, state="failed", end_date=NOON + timedelta(seconds=64))


@pytest.fixture
def client(dag: Dag) -> Client:
    return client_of("User", name="ann")


def failed(run: DagRun, task_id: str = "load", **fields: Any) -> TaskInstance:
    values = {"cause": "user_exception", "cause_detail": "ValueError: no rows", "start_date": NOON, "duration": 2.0, **fields}
    return make_ti(run, task_id, state="failed", end_date=NOON + timedelta(seconds=2), **values)


def text(client: Client, path: str = PATH) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def write_log(ti: TaskInstance, *records: dict[str, Any]) -> Path:
    path = log_evidence.log_file(ti)
    assert path.is_relative_to(Path(conf.get("logging", "base_log_folder")).absolute())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_the_head_names_the_run_and_compares_its_duration_with_the_usual(client: Client, dag: Dag, run: DagRun) -> None:
    for place, took in enumerate((40, 50, 60)):
        began = NOON - timedelta(days=place + 1)
        make_run(dag, f"s{place}", state="success", run_after=began, start_date=began, end_date=began + timedelta(seconds=took))
    make_run(dag, "next", run_after=NOON + timedelta(days=1))
    DagRun.objects.filter(pk=run.pk).update(conf={"size": 3}, note="see **this**", triggering_user_name="bob", partition_key="p1")
    page = text(client)
    assert "+28 %" in page and "usually 50 s" in page and "The median of the last 3 successful runs" in page
    assert (
        'data-copy="r"' in page
        and "size=3" in page
        and "<strong>this</strong>" in page
        and "manual by bob" in page
        and ">p1<" in page
    )
    assert 'href="/dags/shop/runs/s0" data-key="["' in page and 'href="/dags/shop/runs/next" data-key="]"' in page
    head = client.get(PATH).context["overview"].head
    assert [other.run_id for other in head.siblings] == ["next", "r", "s0", "s1", "s2"]


def test_equal_failures_are_one_card_with_their_number_and_what_they_kept_from_running(client: Client, run: DagRun) -> None:
    for index in range(3):
        failed(run, map_index=index, cause_detail=f"ValueError: duplicate key part-0{index}", rendered_map_index=f"part-0{index}")
    failed(run, "t0", cause_detail="KeyError: 'x'", try_number=2, max_tries=1)
    make_ti(run, "report", state="upstream_failed")
    cards = client.get(PATH).context["overview"].cards
    assert [(card.name, card.count, card.kind, card.below) for card in cards] == [
        ("load [part-00]", 3, "ValueError", 1),
        ("t0", 1, "KeyError", 0),
    ]
    page = text(client)
    assert "and 2 more so" in page and "kept 1 task instance below from running" in page and "try 2 of 2" in page
    assert f"{PATH}/tasks/load/clear?downstream=on&amp;only_failed=on" in page and f"{PATH}/tasks/t0/clear?downstream=on" in page


def test_a_card_leads_to_the_first_error_of_the_log_and_shows_the_own_code(client: Client, dag: Dag, run: DagRun) -> None:
    ti = failed(run, "t0")
    frames = [
        {"filename": "/x/site-packages/pandas/a.py", "lineno": 1, "name": "a"},
        {"filename": f"/dags/{dag.relative_fileloc}", "lineno": 3, "name": "load"},
        {"filename": "/x/orchestrator/sdk/operators/python.py", "lineno": 9, "name": "run"},
    ]
    error = {"exc_type": "ValueError", "exc_value": "no rows", "frames": frames}
    write_log(ti, {"event": "reads the rows"}, {"event": "Task failed", "level": "error", "error_detail": [error]})
    page = text(client)
    assert f'href="{PATH}/tasks/t0#error" data-key="e"' in page and "shop.py:3" in page
    assert "raise ValueError(part)" in page and "reads the rows" in page
    ticket = client.get(PATH).context["overview"].cards[0].ticket
    assert (
        "**shop.t0** failed (try 1 of 1) in run `r`" in ticket
        and "`ValueError: no rows`" in ticket
        and "/dags/shop.py:3" in ticket
    )


def test_the_history_of_an_error_says_whether_it_is_new(client: Client, dag: Dag, run: DagRun) -> None:
    failed(run, "t0")
    assert client.get(PATH).context["overview"].cards[0].history.looked_at == 0
    for place, detail in enumerate(("ValueError: no rows", "ValueError: no rows", "OSError: disk full")):
        other = make_run(dag, f"f{place}", state="failed", run_after=NOON - timedelta(days=place + 1))
        failed(other, "t0", cause_detail=detail)
    failed(make_run(make_dag("other"), "r", state="failed"), "x")
    page = text(client)
    assert 'same error since <a href="/dags/shop/runs/f1">2 runs ago</a>' in page
    assert 'same error in <a href="/dags/other">other</a>' in page
    TaskInstance.objects.filter(run_id__in=("f0", "f1")).update(cause_detail="TypeError: x")
    assert "new error; other errors in 3 of the last 3 runs" in text(client)


def test_the_change_of_code_since_the_last_success_is_named(client: Client, dag: Dag, run: DagRun) -> None:
    make_run(dag, "good", state="success", run_after=NOON - timedelta(days=1))
    second = DagVersion.objects.create(
        dag=dag, version_number=2, structure_hash=str(new_id()), attributes_hash="a", document="{}"
    )
    failed(run, "t0", dag_version=second)
    assert 'href="/dags/shop/versions?a=1&amp;b=2">v1 → v2' in text(client)
    assert 'href="/dags/shop/compare?a=good&amp;b=r"' in text(client)


def test_a_cause_of_the_platform_has_words(client: Client, run: DagRun) -> None:
    failed(run, "t0", cause="out_of_memory", cause_detail=None, signal=9, peak_rss_kb=2048, hostname="w1")
    page = text(client)
    assert "The kernel killed the task because memory ran out" in page and "smaller pieces" in page
    assert "signal 9" in page and "peak memory 2 MiB" in page and "on w1" in page
    TaskInstance.objects.update(cause="host_died")
    assert "The platform is to blame" in text(client)


def test_a_run_that_failed_without_a_failed_task_says_why(client: Client, run: DagRun) -> None:
    make_ti(run, "t0", state="success")
    assert "although none of its tasks did" in text(client)
    DagRun.objects.update(stopped_by="ann")
    assert "ann stopped the run" in text(client)


def test_a_run_that_waits_says_for_what_with_links(client: Client, dag: Dag) -> None:
    run = make_run(dag)
    make_ti(run, "t0", state="up_for_retry", retry_at=NOON + timedelta(days=9999), try_number=1, max_tries=3)
    Hold.objects.create(dag_run=run, held_by="eve", created_at=NOON, reason="wait for the file")
    page = text(client)
    assert "Task t0 tries again at" in page and "held by eve" in page and "wait for the file" in page
    assert "/release" in page and f'href="{PATH}/hold"' not in page
    waits = client.get(PATH).context["overview"].waits
    assert [wait.name for wait in waits] == ["t0"]  # the run waits for just that
    assert 'href="/api/v2/dags' not in page


def test_the_run_does_not_repeat_what_its_task_waits_for_and_the_wait_has_a_bar(client: Client, dag: Dag) -> None:
    run = make_run(dag)
    ti = make_ti(run, "t0", state="awaiting_input", start_date=NOON)
    HITLDetail.objects.create(ti_id=ti.pk, dag_run=run, subject="How much?", options=["a"], created_at=NOON)
    overview = client.get(PATH).context["overview"]
    assert [wait.name for wait in overview.waits] == ["t0"] and "How much?" in overview.waits[0].reasons[0].sentence
    bar = client.get(f"{PATH}?view=gantt").context["timeline"].bars["t0"]
    assert bar.segments[-1].is_running and bar.segments[-1].family == "input" and overview.rows[0].seconds


def test_rows_come_failed_first_and_are_filtered_by_state_text_and_group(client: Client, run: DagRun) -> None:
    for place, state in enumerate(("success", "running", None)):
        make_ti(run, f"t{place}", state=state, start_date=NOON if state else None)
    make_ti(run, "g.extract", state="success", start_date=NOON)
    for index in range(5):
        make_ti(run, "load", map_index=index, state="failed" if index == 3 else "success", rendered_map_index=f"p{index}")

    def tasks(query: str) -> list[str]:
        return [row.task_id for row in client.get(f"{PATH}?{query}").context["overview"].rows]

    assert tasks("") == ["load", "t1", "t2", "g.extract", "t0"]
    assert tasks("state=failed") == ["load"] and tasks("state=waiting") == ["t2"] and tasks("state=running") == ["t1"]
    assert tasks("q=EXTR") == tasks("group=g") == ["g.extract"] and tasks("state=nonsense&offset=x")
    page = text(client)
    assert "1 failed, 4 success" in page or "4 success, 1 failed" in page
    assert f'href="{PATH}/tasks/load/mapped/3#error">p3</a>' in page
    assert client.get(PATH).context["overview"].counts == {"failed": 1, "running": 1, "waiting": 1, "done": 6}
    assert "Nothing matches" in text(client, f"{PATH}?q=nope") and "Nothing matches" in text(client, f"{PATH}?group=a/b")
    assert f"{PATH}/tasks/group/g/clear" in text(client, f"{PATH}?group=g")


def test_c07_a_run_with_many_tasks_and_indexes_costs_no_more_queries(
    client: Client, dag: Dag, run: DagRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "monotonic", lambda: 1000.0)  # the shell asks for changes once a second

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(PATH).status_code == 200
        return len(seen)

    def add(first: int, last: int) -> None:
        rows = []
        for place in range(first, last):
            values = {"dag_id": "shop", "run_id": "r", "dag_run": run, "dag_version": dag.latest_version, "start_date": NOON}
            rows.append(TaskInstance(task_id=f"t{place}", state="success", try_number=2, end_date=NOON, **values))
            error = {"state": "failed", "cause": "user_exception", "cause_detail": f"ValueError: {place}"}
            rows.append(TaskInstance(task_id="load", map_index=place, try_number=1, **error, **values))
        TaskInstance.objects.bulk_create(rows)

    add(0, 10)
    queries()
    few = queries()
    add(10, 200)
    assert queries() == few <= 25
    add(200, 500)
    assert queries() == few  # counted by the database from here on
    overview = client.get(PATH).context["overview"]
    assert (overview.cards[0].count, len(overview.rows), overview.next_offset, len(overview.found)) == (500, 100, 100, 501)
    assert len(client.get(f"{PATH}?offset=450").context["overview"].rows) == 51


def test_a_card_says_with_which_params_it_failed_and_hides_secrets(client: Client) -> None:
    declared = {"size": {"value": 1}, "region": {"value": "eu"}, "none": {"value": None}}
    made = replace(spec(), dag_id="with", params=declared)
    conf = {"size": 3, "api_token": "tell-nobody", "more": {"password": "tell-nobody"}, "odd": "<b>" + "x" * 100}
    run = make_run(make_dag("with", made), state="failed", conf=conf)
    failed(run, "t0")
    answer = client.get("/dags/with/runs/r")
    (card,) = answer.context["overview"].cards
    # What was given in the order in which the database keeps it, then the defaults.
    *given, default = [(p.name, p.text, p.is_default) for p in card.params.shown]
    assert sorted(given) == [
        ("api_token", "***", False),
        ("more", '{"password": "***"}', False),
        ("odd", f"<b>{'x' * 56}…", False),
        ("size", "3", False),
    ]
    assert default == ("region", "eu", True)
    page = answer.content.decode()
    assert "tell-nobody" not in page and "<b>x" not in page
    assert "region=eu <span" in page and "`api_token=***`" in page and "`region=eu` (default)" in page
    DagRun.objects.filter(pk=run.pk).update(conf={f"k{number}": number for number in range(9)})
    page = client.get("/dags/with/runs/r").content.decode()
    assert '/details#conf">5 more</a>' in page
    failed(run, "t1", cause_detail="KeyError: other")
    assert text(client, "/dags/with/runs/r").count("cause-params") == 1  # the same for all cards; each ticket has them


def test_a_card_of_a_run_without_params_says_nothing_of_them(client: Client, run: DagRun) -> None:
    failed(run, "t0")
    assert "cause-params" not in text(client)


def waiting(run: DagRun, task_id: str, **fields: Any) -> None:
    """A task whose first try failed, as a worker reports it."""
    ti = make_ti(run, task_id, state="running", start_date=NOON, max_tries=2, **fields)
    end = NOON + timedelta(seconds=2)
    said = {"cause": "user_exception", "cause_detail": "ValueError: no rows", "retry_delay": 298.0}
    finish([Report(ti.pk, ti.dispatch_id, "up_for_retry", end, **said)], now=end)


def test_a_task_that_is_tried_again_says_what_failed_and_when_it_goes_on(client: Client, run: DagRun) -> None:
    waiting(run, "t0")
    page = text(client)
    assert "nobody stored why" not in page
    assert 'ValueError: no rows <span class="muted">· next try at <time datetime="2026-01-05T12:05:00+00:00"' in page
    TaskInstanceHistory.objects.all().delete()
    unknown = text(client)
    assert "nobody stored why" not in unknown and '<span class="muted"> next try at <time' in unknown


def test_cells_and_indexes_that_are_tried_again_say_what_failed(client: Client, run: DagRun) -> None:
    waiting(run, "t0")
    waiting(run, "load", map_index=3)
    make_ti(run, "load", state="success", map_index=4)
    for name in ("t0", "load"):
        hint = client.get("/dags/shop/cell", {"run": run.pk, "name": name, "hint": ""}).content.decode()
        assert "ValueError: no rows" in hint
    page = client.get(f"{PATH}/tasks/load/mapped").content.decode()
    assert 'ValueError: no rows <span class="muted">next try at <time' in page


def test_i7_many_tasks_that_are_tried_again_cost_one_query(client: Client, run: DagRun) -> None:
    waiting(run, "t0")
    client.get(PATH)
    few = queries_of(client, PATH)
    for number in range(1, 20):
        waiting(run, f"t{number}")
    assert queries_of(client, PATH) == few


def test_a_viewer_sees_no_orders_and_a_user_does(client: Client, run: DagRun) -> None:
    failed(run, "t0")
    orders = ("/clear", "/mark", "/trigger", "/note", "/delete", "Retry failed")
    shown = text(client)
    assert all(order in shown for order in orders)
    seen = text(client_of("Viewer"))
    assert not [order for order in orders if order in seen] and "Open log" in seen


def test_a_run_of_a_removed_dag_without_version_and_dates_is_shown(run: DagRun) -> None:
    ti = failed(run, "gone", dag_version=None, start_date=None, duration=None)
    TaskInstance.objects.filter(pk=ti.pk).update(end_date=None, cause=None, cause_detail=None)
    DagRun.objects.update(created_dag_version=None, start_date=None, end_date=None, logical_date=None, conf=[1])
    DagVersion.objects.all().delete()
    Dag.objects.filter(pk="shop").delete()
    client = client_of("Admin")
    page = text(client)
    assert "DAG shop was deleted" in page and "nobody stored why" in page and "/run_clear" not in page
    assert "Nothing has begun" in text(client, f"{PATH}?view=gantt")
    assert client.get("/dags/shop/runs/none").status_code == 404


def test_the_gantt_chart_has_a_piece_for_each_try_the_waits_and_the_critical_path(client: Client, dag: Dag, run: DagRun) -> None:
    def at(second: float) -> Any:
        return NOON + timedelta(seconds=second)

    first = {"dag_id": "shop", "run_id": "r", "task_id": "g.extract", "id": new_id(), "state": "failed", "try_number": 1}
    TaskInstanceHistory.objects.create(dag_run=run, start_date=at(1), end_date=at(3), queued_dttm=at(0), **first)
    times = {"queued_dttm": at(10), "start_date": at(12), "end_date": at(20), "duration": 8.0}
    make_ti(run, "g.extract", state="success", try_number=2, max_tries=1, **times)
    make_ti(run, "load", state="success", map_index=0, start_date=at(21), end_date=at(40))
    make_ti(run, "load", state="success", map_index=1, start_date=at(22), end_date=at(60))
    make_ti(run, "t0", state="success", start_date=at(1), end_date=at(2))
    timeline = client.get(f"{PATH}?view=gantt").context["timeline"]
    bars = {bar.row.task_id: bar for bar in timeline.ordered}
    assert [(s.text, s.is_wait) for s in bars["g.extract"].segments] == [
        ("waited 1.0 s for a worker", True),
        ("try 1, failed, 2.0 s", False),
        ("waited 2.0 s for a worker", True),
        ("try 2, success, 8.0 s", False),
    ]
    assert [bar.row.task_id for bar in timeline.ordered if bar.is_critical] == ["g.extract", "load"]
    assert [s.text for s in bars["load"].segments] == ["success, 39 s"]
    page = text(client, f"{PATH}?view=gantt")
    assert "critical path" in page and f'href="{PATH}/tasks/g.extract"' in page and "style=" not in page.split("<main")[1]
    assert "Close groups" in page
    closed = client.get(f"{PATH}?view=gantt&groups=closed").context["timeline"].bars
    assert closed.keys() == {"g", "load", "t0"} and closed["g"].is_critical and closed["g"].row.counts == {"success": 1}
    assert 'href="?view=gantt&amp;groups=closed&amp;group=g"' in text(client, f"{PATH}?view=gantt&groups=closed")
    assert client.get(f"{PATH}?view=gantt&groups=closed&group=g").context["timeline"].bars.keys() == {"g.extract"}
    # Cleared later: the tries from before stand aside until they are asked for.
    DagRun.objects.update(start_date=at(9))
    later = client.get(f"{PATH}?view=gantt").context["timeline"]
    assert later.earlier_tries and len(later.bars["g.extract"].segments) == 2
    assert len(client.get(f"{PATH}?view=gantt&tries=all").context["timeline"].bars["g.extract"].segments) == 4
