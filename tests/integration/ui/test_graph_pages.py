"""A DAG and a run are drawn: nodes with their group, edges, states; what is missing is said and breaks no page."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import DagRule
from accounts.roles import Role
from dags_app.models import Dag, DagLink, DagVersion
from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec
from orchestrator.templatetags.shown import run_title
from runs.models import DagRun, TaskInstance
from runs.pages.worst import NONE, WORST_FIRST, known, rank, rank_of_row, state_of, worst
from runs.states import TaskInstanceState
from tests.factories import make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db


def spec(dag_id: str = "etl", extra: int = 0) -> DagSpec:
    def task(task_id: str, up: list[str], down: list[str], **fields: Any) -> TaskSpec:
        return TaskSpec(task_id=task_id, upstream_task_ids=up, downstream_task_ids=down, task_type="PythonOperator", **fields)

    tasks = [
        task("extract", [], ["load"]),
        task("load", ["extract"], ["check.rows"], is_mapped=True),
        task("check.rows", ["load"], [], task_group_id="check", label="rows"),
        task("alone", [], []),
        *(task(f"more_{number}", [], []) for number in range(extra)),
    ]
    groups = [
        TaskGroupSpec(None, children=["extract", "load", "check", "alone"], label=""),
        TaskGroupSpec("check", label="check", children=["check.rows"], upstream_task_ids=["load"]),
    ]
    return DagSpec(dag_id=dag_id, tasks=tasks, task_groups=groups, edge_info={"extract": {"load": {"label": "all <rows>"}}})


@pytest.fixture
def dag() -> Dag:
    return make_dag("etl", spec())


@pytest.fixture
def run(dag: Dag) -> DagRun:
    made = make_run(dag, "r", state="running")
    make_ti(made, "extract", state="success")
    for index, state in enumerate(("success", "failed", None)):
        make_ti(made, "load", state=state, map_index=index)
    return made


@pytest.fixture
def client() -> Client:
    return client_of("Viewer")


def nodes(answer: Any) -> dict[str, dict[str, Any]]:
    return {node["id"]: node for node in answer.json()["nodes"]}


def test_a_dag_is_drawn_with_groups_edges_and_labels(client: Client, dag: Dag) -> None:
    answer = client.get("/dags/etl/graph?fragment=json")
    found = nodes(answer)
    assert found["check"]["kind"] == "group" and found["check.rows"]["parent"] == "check"
    assert found["load"]["mapped"] and found["extract"]["operator"] == "PythonOperator"
    assert {"s": "extract", "t": "load", "label": "all <rows>"} in answer.json()["edges"]
    assert "states" not in answer.json()
    page = client.get("/dags/etl/graph").content.decode()
    assert "all <rows>" not in page and "extract (all &lt;rows&gt;)" in page and "all \\u003Crows\\u003E" in page
    assert "<h2>Tasks" in page and page.count("<h1") == 1 and 'aria-current="page">Graph' in page


def test_a_run_is_drawn_with_one_count_per_state(client: Client, run: DagRun) -> None:
    document = client.get("/dags/etl/runs/r/graph?fragment=json").json()
    assert document["states"]["load"] == {"success": 1, "failed": 1, "none": 1, "mapped": 3}
    assert document["states"]["extract"] == {"success": 1}
    assert client.get("/dags/etl/runs/r/graph?fragment=states").json() == {"states": document["states"]}
    rows = {row.task_id: row for row in client.get("/dags/etl/runs/r/graph").context["graph"].rows}
    assert (rows["load"].state, rows["load"].done, rows["load"].total, rows["load"].upstream) == (
        "failed",
        2,
        3,
        ["extract (all <rows>)"],
    )
    assert rows["load"].operator == "PythonOperator, mapped"
    assert (rows["alone"].state, rows["alone"].total) == ("none", 0)
    assert nodes(client.get("/dags/etl/runs/r/graph?fragment=json"))["load"]["url"] == "/dags/etl/runs/r/tasks/load"


def test_what_is_around_a_task_is_drawn_alone(client: Client, run: DagRun) -> None:
    def around(query: str) -> set[str]:
        return {
            name for name, node in nodes(client.get(f"/dags/etl/graph?fragment=json&{query}")).items() if node["kind"] == "task"
        }

    assert around("focus=load") == {"extract", "load", "check.rows"}
    assert around("focus=load&scope=up") == {"extract", "load"}
    assert around("focus=extract&scope=down&depth=1") == {"extract", "load"}
    assert around("focus=check") == {"extract", "load", "check.rows"}
    assert around("focus=&depth=x&scope=sideways") == {"extract", "load", "check.rows", "alone"}
    for place in ("/dags/etl/graph", "/dags/etl/runs/r/graph"):
        said = client.get(f"{place}?focus=nothing").content.decode()
        assert "No task or group is named nothing" in said


def test_links_to_other_dags_say_where_they_lead(client: Client, dag: Dag) -> None:
    DagLink.objects.create(dag=make_dag("parent"), kind="trigger", task_id="go", label="go", other_dag_id="etl")
    link = nodes(client.get("/dags/etl/graph?fragment=json&outside=on"))["trigger:parent:etl:go"]
    assert (link["note"], link["url"]) == ("triggered by parent", "/dags/parent/graph")
    assert "trigger:parent:etl:go" not in nodes(client.get("/dags/etl/graph?fragment=json"))


def test_an_older_version_and_one_that_is_not_there(client: Client, dag: Dag) -> None:
    old = DagSpec(dag_id="etl", tasks=[TaskSpec(task_id="before")])
    older = make_dag("other", old).latest_version
    DagVersion.objects.filter(pk=older.pk).update(dag=dag, version_number=2)
    assert set(nodes(client.get("/dags/etl/graph?fragment=json&version=2"))) == {"before"}
    assert "has no version 7" in client.get("/dags/etl/graph?version=7").content.decode()
    DagVersion.objects.filter(dag=dag).update(document="{", structure_hash="changed")
    broken = client.get("/dags/etl/graph?version=2")
    assert broken.status_code == 200 and "cannot be read" in broken.content.decode()


def test_tasks_that_were_removed_and_versions_that_are_gone_break_nothing(client: Client, run: DagRun) -> None:
    make_ti(run, "gone", state="removed")
    assert nodes(client.get("/dags/etl/runs/r/graph?fragment=json"))["gone"]["operator"] == "removed from the DAG"
    Dag.objects.filter(pk="etl").update(latest_version=None)
    DagRun.objects.update(created_dag_version=None)
    answer = client.get("/dags/etl/runs/r/graph")
    assert "was deleted" in answer.content.decode()
    assert {row.task_id for row in answer.context["graph"].rows} == {"extract", "load", "gone"}
    assert "No version of this DAG" in client.get("/dags/etl/graph").content.decode()
    assert client.get("/dags/none/graph").status_code == client.get("/dags/etl/runs/none/graph").status_code == 404
    DagRun.objects.update(logical_date=None)
    Dag.objects.filter(pk="etl").delete()
    assert client.get("/dags/etl/runs/r/graph").status_code in (200, 404)


def test_a_dag_without_tasks_says_so(client: Client) -> None:
    make_dag("empty", DagSpec(dag_id="empty"))
    assert "No task yet" in client.get("/dags/empty/graph").content.decode()


@pytest.fixture
def counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr("runs.live.TICK_SECONDS", 1e9)  # what is asked for all pages together does not count

    def queries(path: str) -> int:
        client.get(path)  # the memory of versions is filled
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    yield queries


@pytest.mark.parametrize("query", ["", "?outside=on"])
def test_the_number_of_queries_does_not_grow_with_the_graph(counted: Any, dag: Dag, query: str) -> None:
    large = make_dag("large", spec("large", extra=150))
    small_run, large_run = make_run(dag, "r"), make_run(large, "r")
    for number in range(150):
        make_ti(large_run, f"more_{number}", state="success")
    make_ti(small_run, "extract", state="success")
    assert counted(f"/dags/large/graph{query}") == counted(f"/dags/etl/graph{query}")
    assert counted(f"/dags/large/runs/r/graph{query}") == counted(f"/dags/etl/runs/r/graph{query}")


def test_the_page_of_a_large_graph_is_small(client: Client) -> None:
    make_dag("large", spec("large", extra=500))
    page = client.get("/dags/large/graph").content
    assert len(gzip.compress(page)) < 60_000
    assert b"more tasks: draw what is around" in page


def test_who_may_not_see_the_dag_sees_no_graph(run: DagRun) -> None:
    stranger = client_of("User", name="sam")
    DagRule.objects.create(user_id=int(stranger.session["_auth_user_id"]), dag_id="own", role=Role.VIEWER)
    assert stranger.get("/dags/etl/graph").status_code == stranger.get("/dags/etl/runs/r/graph").status_code == 404
    assert Client().get("/dags/etl/graph").status_code == 302


def test_the_graph_of_a_run_has_the_title_and_the_crumbs_of_every_page_of_the_run(client: Client, run: DagRun) -> None:
    make_run(run.dag, "other", state="success")
    shown = client.get("/dags/etl/runs/r/graph").content.decode()
    assert f"<title>Graph · {run_title(run)} · etl" in " ".join(shown.split())
    assert 'aria-label="Other runs"' in shown and 'href="/dags/etl/runs/other/graph"' in shown


def test_the_worst_state_stands_for_several() -> None:
    assert worst({"success": 7, "failed": 1}) == "failed"
    assert worst({"running": 2, "none": 5}) == "running"
    assert worst({}) == "none"


def test_one_order_of_states_holds_on_all_pages_also_for_rows_and_for_what_has_no_state(run: DagRun) -> None:
    states = [*WORST_FIRST[::-1], "unheard of"]
    found = sorted([None if state == NONE else state for state in states], key=rank)
    assert [known(state) for state in found] == [*WORST_FIRST[: rank(None)], NONE, NONE, *WORST_FIRST[rank(None) + 1 :]]
    assert set(WORST_FIRST) == {NONE, *TaskInstanceState}
    for index, state in enumerate(states[:-1]):
        make_ti(run, "ranked", state=state_of(state), map_index=index)
    rows = TaskInstance.objects.filter(task_id="ranked").order_by(rank_of_row())
    assert [row.state for row in rows] == [state_of(word) for word in WORST_FIRST]
