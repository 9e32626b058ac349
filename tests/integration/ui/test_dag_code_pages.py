"""The code of a DAG, its versions and what differs between them, its attributes, and two runs beside each other."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dags_app.models import Dag, DagCode, DagVersion
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec, to_json
from runs.models import DagRun
from runs.pages.dag_versions import code_diff
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

OLD = DagSpec(dag_id="etl", tasks=[TaskSpec(task_id="a"), TaskSpec(task_id="b", retries=1)], params={"p": {"value": 1}})
NEW = DagSpec(dag_id="etl", tasks=[TaskSpec(task_id="b", retries=3), TaskSpec(task_id="c")], catchup=True, max_active_runs=2)
CODE = "".join(f"line_{number} = {number}\n" for number in range(40))


@pytest.fixture
def dag() -> Dag:
    dag = make_dag("etl", OLD)
    DagVersion.objects.update(code=DagCode.objects.create(source_hash="1", source_code=CODE))
    code = DagCode.objects.create(source_hash="2", source_code=CODE.replace("line_20 = 20", "line_20 = '<b>'"))
    values = {"structure_hash": "2", "attributes_hash": "2", "document": json.dumps(to_json(NEW)), "code": code}
    dag.latest_version = DagVersion.objects.create(dag=dag, version_number=2, **values)
    dag.save()
    return dag


@pytest.fixture
def client(dag: Dag) -> Client:
    return client_of("Viewer")


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def test_c26_the_code_of_each_version_is_shown_with_numbered_lines(client: Client) -> None:
    newest = client.get("/dags/etl/code")
    assert newest.context["version"].version_number == 2
    assert 'name="L-40"' in newest.content.decode() and "&lt;b&gt;" in newest.content.decode()
    assert client.get("/dags/etl/code?version=1").context["version"].version_number == 1
    assert "has no version 9" in client.get("/dags/etl/code?version=9").content.decode()
    assert client.get("/dags/etl/code?version=99999999999999999999").status_code == 200
    DagVersion.objects.update(code=None)
    assert "No code is kept" in client.get("/dags/etl/code").content.decode()


def test_versions_say_what_changed_in_tasks_attributes_and_text(client: Client) -> None:
    page = client.get("/dags/etl/versions")
    structure = page.context["structure"]
    assert (structure.added, structure.removed) == (["c"], ["a"])
    assert [(task, [(c.name, c.before, c.after) for c in changes]) for task, changes in structure.changed] == [
        ("b", [("retries", "1", "3")])
    ]
    assert {change.name for change in structure.dag} == {"catchup", "max active runs", "params: p"}
    assert [line.text for line in page.context["lines"] if line.kind == "ins"] == ["line_20 = '<b>'"]
    assert len(page.context["lines"]) == 8
    same = client.get("/dags/etl/versions?a=1&b=1").content.decode()
    assert "are the same" in same and "text of the file is the same" in same
    assert "not there any more" in client.get("/dags/etl/versions?a=1&b=7").content.decode()


def test_a_document_that_cannot_be_read_is_said_and_breaks_nothing(client: Client, dag: Dag) -> None:
    DagVersion.objects.filter(version_number=2).update(document="{", structure_hash="x")
    for page in ("versions", "details", "code", "compare", "calendar", "durations", "tasks", ""):
        assert client.get(f"/dags/etl/{page}".rstrip("/")).status_code == 200, page
    assert "cannot be read" in client.get("/dags/etl/versions").content.decode()


def test_lines_that_are_the_same_are_left_out_of_a_comparison() -> None:
    lines = code_diff(CODE, CODE.replace("line_2 = 2\n", "").replace("line_35 = 35", "x"))
    assert [line.kind for line in lines].count("gap") == 1
    assert [(line.before, line.after) for line in lines if line.kind == "del"] == [(3, None), (36, None)]
    assert code_diff("a", "a") == []


def test_the_details_have_limits_defaults_and_params(client: Client, dag: Dag) -> None:
    spec = DagSpec(
        dag_id="full",
        tasks=[TaskSpec(task_id="t")],
        default_args={"owner": "<ops>"},
        params={"day": {"value": "x", "description": "Which day"}},
        dagrun_timeout=3600.0,
        start_date="2026-01-01T00:00:00Z",
    )
    make_dag("full", spec, max_active_runs=3)
    shown = client.get("/dags/full/details").content.decode()
    for text in ("&lt;ops&gt;", "Which day", "1 h 00 m", "2026-01-01 00:00:00 UTC", "Runs at once"):
        assert text in shown


def runs(dag: Dag) -> tuple[DagRun, DagRun]:
    old = DagVersion.objects.get(version_number=1)
    good = make_run(dag, "good", state="success", run_after=NOON, end_date=NOON + timedelta(seconds=60), conf={"a": 1, "b": 2})
    DagRun.objects.filter(pk=good.pk).update(created_dag_version=old)
    bad = make_run(
        dag, "bad", state="failed", run_after=NOON + timedelta(days=1), end_date=NOON, conf={"a": 1, "b": 3, "c": "<x>"}
    )
    for run, seconds in ((good, 10), (bad, 40)):
        times = {"start_date": NOON, "end_date": NOON + timedelta(seconds=seconds)}
        make_ti(run, "b", state=run.state, try_number=2 if run is bad else 1, **times)
        make_ti(run, "same", state="success", **times | {"end_date": NOON + timedelta(seconds=5)})
    make_ti(good, "gone", state="success")
    return good, bad


def test_the_newest_run_is_compared_with_the_last_success(client: Client, dag: Dag) -> None:
    runs(dag)
    page = client.get("/dags/etl/compare")
    assert (page.context["one"].run_id, page.context["other"].run_id) == ("bad", "good")
    pairs = {pair.task_id: pair for pair in page.context["pairs"]}
    assert list(pairs) == ["b", "gone", "same"]
    assert (pairs["b"].delta, pairs["b"].share, pairs["b"].one.tries, pairs["b"].other.tries) == (30.0, 100, 2, 1)
    assert (pairs["gone"].one.is_there, pairs["gone"].delta) == (False, None)
    assert [(item.key, item.is_same) for item in page.context["conf"]] == [("b", False), ("c", False), ("a", True)]
    shown = page.content.decode()
    assert "&lt;x&gt;" in shown and "not there" in shown and "+30 s" in shown
    assert "&minus;" not in shown, "a task that took as long is not shown as faster"
    assert [line.text for line in page.context["lines"] if line.kind == "ins"] == ["line_20 = '<b>'"]


def test_comparing_says_what_is_missing(client: Client, dag: Dag) -> None:
    assert "No run yet" in client.get("/dags/etl/compare").content.decode()
    make_run(dag, "only", logical_date=None)
    assert "No run has succeeded yet" in client.get("/dags/etl/compare").content.decode()
    assert "has no run nothing" in client.get("/dags/etl/compare?a=nothing").content.decode()
    assert "has no run nothing" in client.get("/dags/etl/compare?a=only&b=nothing").content.decode()
    DagVersion.objects.all().delete()
    assert client.get("/dags/etl/compare?a=only&b=only").status_code == 200


@pytest.mark.parametrize("path", ["/code", "/versions", "/details", "/compare", "/calendar", "/durations"])
def test_the_pages_ask_as_much_for_a_long_history_as_for_a_short_one(client: Client, dag: Dag, path: str) -> None:
    good, bad = runs(dag)
    few = queries(client, f"/dags/etl{path}")
    for number in range(20):
        run: Any = make_run(dag, f"r{number}", state="success", run_after=NOON + timedelta(hours=number))
        make_ti(run, f"t{number}", state="success")
        make_ti(good, f"t{number}", state="success")
        make_ti(bad, f"t{number}", state="failed")
        values = {"structure_hash": str(number), "attributes_hash": "2", "document": "{}"}
        DagVersion.objects.create(dag=dag, version_number=10 + number, **values)
    query = (
        "?a=bad&b=good" if path == "/compare" else "?a=1&b=2" if path == "/versions" else "?version=2" if path == "/code" else ""
    )
    assert queries(client, f"/dags/etl{path}{query}") <= few
