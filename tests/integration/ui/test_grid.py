"""The grid of a DAG: its rows, columns and cells, filters and pages, what a cell stands for, and what it costs."""

import gzip
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from dags_app.models import Dag, DagVersion
from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec, to_json
from orchestrator.templatetags.shown import STATES
from runs.models import DagRun, TaskInstance
from runs.pages.charts import ticks
from runs.pages.grid_cells import bands, sum_cell
from runs.pages.grid_indexes import MOST_OPEN
from runs.pages.usual import quantile
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.costs import queries_of
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

SPEC = DagSpec(
    dag_id="etl",
    tasks=[
        TaskSpec(task_id="start", downstream_task_ids=["q.a"]),
        TaskSpec(task_id="q.a", label="a", task_group_id="q", upstream_task_ids=["start"]),
        TaskSpec(task_id="q.b", label="b", task_group_id="q", is_mapped=True),
    ],
    task_groups=[
        TaskGroupSpec(group_id=None, children=["start", "q"]),
        TaskGroupSpec(group_id="q", label="q", children=["q.a", "q.b"]),
    ],
)


@pytest.fixture
def dag() -> Dag:
    return make_dag("etl", SPEC)


@pytest.fixture
def client(dag: Dag) -> Client:
    return client_of("User", name="ann")


def fill(dag: Dag, number: int, state: str = "success", **fields: Any) -> DagRun:
    run = make_run(dag, f"r{number}", state=state, run_after=NOON + timedelta(days=number), **fields)
    make_ti(run, "start", state="success")
    make_ti(run, "q.a", state=state, start_date=NOON, cause="user_exception", cause_detail=f"ValueError: row {number}\nmore")
    for index in range(4):
        make_ti(run, "q.b", state="failed" if index == 2 else "success", map_index=index, start_date=NOON)
    return run


def grid(client: Client, query: str = "") -> Any:
    answer = client.get(f"/dags/etl{query}")
    assert answer.status_code == 200
    return answer.context["grid"]


def names(found: Any) -> list[str]:
    return [shown.row.name for shown in found.rows]


def test_c20_rows_are_tasks_and_groups_upstream_first_and_removed_tasks_come_last(client: Client, dag: Dag) -> None:
    run = fill(dag, 1)
    make_ti(run, "gone", state="removed")
    found = grid(client)
    assert names(found) == ["start", "q", "q.a", "q.b", "gone"]
    assert [shown.row.kind for shown in found.rows] == ["task", "group", "task", "task", "removed"]
    cells = [shown.cells for shown in found.rows]
    assert cells[0] == cells[2] == "<td class=success>"
    assert cells[1].startswith('<td class="failed m"><b class=failed>')
    assert cells[4] == "<td class=removed>"
    assert (found.rows[3].number, found.rows[1].number) == (4, 2)
    assert "<s>gone</s>" in client.get("/dags/etl").content.decode()


def test_groups_close_and_open_by_the_address(client: Client, dag: Dag) -> None:
    fill(dag, 1)
    assert names(grid(client, "?closed=q")) == ["start", "q"]
    assert grid(client, "?closed=q&runs=50").rows[1].toggle == "?runs=50&open=q"
    assert grid(client, "?open=q").rows[1].toggle == "?closed=q"
    assert names(grid(client, "?closed=*")) == ["start", "q"]
    assert names(grid(client, "?q=a&closed=*")) == ["start", "q", "q.a"]  # "start" has an a, and so has "q.a" in its group


def test_a_mapped_task_opens_to_its_indexes_only_when_one_asks(client: Client, dag: Dag) -> None:
    old, new = fill(dag, 1), fill(dag, 2)
    TaskInstance.objects.filter(dag_run=new, task_id="q.b", map_index=1).update(state="running", rendered_map_index="north")
    TaskInstance.objects.filter(dag_run=old, task_id="q.b", map_index=3).delete()
    for query in ("", "?open=*"):
        assert [shown.index for shown in grid(client, query).rows if shown.index is not None] == []
    assert grid(client).rows[3].toggle == "?open=q.b"
    found = grid(client, "?open=q.b")
    assert found.rows[3].toggle == "?" and found.rows[3].row.is_open
    assert [(shown.row.label, shown.cells) for shown in found.rows[4:]] == [
        ("0", "<td class=success><td class=success>"),
        ("north", "<td class=success><td class=running>"),
        ("2", "<td class=failed><td class=failed>"),
        ("3", "<td><td class=success>"),
    ]
    text = client.get("/dags/etl?open=q.b").content.decode()
    assert 'data-t="q.b" data-k="index" data-i="1" data-l="north"><th scope="row" class="d2">' in text
    assert names(grid(client, "?open=q.b&closed=q")) == ["start", "q"]
    assert names(grid(client, "?open=start&open=nope")) == ["start", "q", "q.a", "q.b"]


def test_of_very_many_indexes_the_grid_shows_the_worst_and_leads_to_all(client: Client, dag: Dag) -> None:
    run = make_run(dag, "r1", run_after=NOON)
    states = {35: "failed", 90: "running"}
    for index in range(100):
        make_ti(run, "q.b", state=states.get(index, "success"), map_index=index)
    found = grid(client, "?open=q.b")
    assert [shown.index for shown in found.rows[4:-1]] == [*range(18), 35, 90]
    assert (found.rows[-1].row.kind, found.rows[-1].number, found.rows[-1].cells) == ("more", 100, "<td>")
    assert 'href="/dags/etl/runs/r1/tasks/q.b/mapped"' in client.get("/dags/etl?open=q.b&part=grid").content.decode()


def test_i7_the_indexes_of_an_open_task_cost_two_queries_however_many(client: Client, dag: Dag) -> None:
    fill(dag, 1)
    shut, few = queries_of(client, "/dags/etl?part=grid"), queries_of(client, "/dags/etl?part=grid&open=q.b")
    run = DagRun.objects.get(run_id="r1")
    for index in range(4, 60):
        make_ti(run, "q.b", state="success", map_index=index)
    fill(dag, 2)
    assert queries_of(client, "/dags/etl?part=grid&open=q.b") == few == shut + 2 <= 10


def test_i7_several_open_tasks_cost_no_more_queries_and_the_grid_says_whose_indexes_it_leaves_out(
    client: Client, dag: Dag
) -> None:
    run = fill(dag, 1)
    one = queries_of(client, "/dags/etl?part=grid&open=q.b")
    assert "at once" not in client.get("/dags/etl?open=q.b").content.decode()
    for task in range(MOST_OPEN + 1):
        for index in range(3 + task):
            make_ti(run, f"m{task}", state="failed" if index == 1 else "success", map_index=index)
    query = "open=q.b&" + "&".join(f"open=m{task}" for task in range(MOST_OPEN + 1))
    found = grid(client, f"?{query}")
    shown = {name: [row.index for row in found.rows if row.row.name == name and row.row.kind == "index"] for name in names(found)}
    assert shown["q.b"] == [0, 1, 2, 3] and shown["m0"] == [0, 1, 2] and shown["m3"] == [0, 1, 2, 3, 4, 5]
    assert sum(map(bool, shown.values())) == found.opened == MOST_OPEN and found.left_shut == 2
    assert queries_of(client, f"/dags/etl?part=grid&{query}") == one
    told = f"indexes of {MOST_OPEN} tasks at once: close one to see those of 2 more"
    assert told in client.get(f"/dags/etl?{query}").content.decode()


def test_a_cell_of_an_index_tells_of_that_index_alone(client: Client, dag: Dag) -> None:
    run = fill(dag, 1)
    make_ti(run, "t", state="success")
    query = {"run": run.pk, "name": "q.b", "index": 2}
    cell = client.get("/dags/etl/cell", query).context["cell"]
    assert (cell.total, cell.state, cell.only.map_index) == (1, "failed", 2)
    for wrong in (99, "x", "9" * 30):
        assert client.get("/dags/etl/cell", {**query, "index": wrong}).status_code == 404


def test_rows_are_filtered_and_sorted(client: Client, dag: Dag) -> None:
    fill(dag, 1)
    assert names(grid(client, "?failing=on")) == ["q", "q.b"]
    assert grid(client, "?failing=on").hidden == 3 - 1
    assert names(grid(client, "?q=STAR")) == ["start"]
    assert names(grid(client, "?sort=name"))[0] == "q"
    assert "No row passes the filter" in client.get("/dags/etl?q=nothing").content.decode()


def test_columns_are_the_newest_runs_and_one_pages_to_older_and_newer(client: Client, dag: Dag) -> None:
    for number in range(25):
        fill(dag, number, logical_date=None, run_type="manual" if number % 2 else "scheduled")
    found = grid(client, "?runs=10")
    assert [c.run.run_id for c in found.columns.columns] == [f"r{number}" for number in range(15, 25)]
    assert found.older and not found.newer
    before = grid(client, found.older)
    assert [c.run.run_id for c in before.columns.columns] == [f"r{number}" for number in range(5, 15)]
    assert [c.run.run_id for c in grid(client, before.newer).columns.columns] == [f"r{number}" for number in range(15, 25)]
    assert len(grid(client, before.older).columns.columns) == 5
    assert not grid(client, before.older).older
    assert {c.run.run_type for c in grid(client, "?run_type=manual").columns.columns} == {"manual"}
    assert not grid(client, "?state=failed").columns.columns
    assert len(grid(client, "?runs=7&before=x&after=99999999999999999999&state=odd&open=&q=").columns.columns) == 25


def test_the_number_of_runs_is_kept_as_a_preference(client: Client, dag: Dag) -> None:
    for number in range(12):
        make_run(dag, f"r{number}", run_after=NOON + timedelta(days=number))
    User.objects.filter(username="ann").update(preferences={"runs": 10})
    assert len(grid(client).columns.columns) == 10
    assert len(grid(client, "?runs=50").columns.columns) == 12


def test_a_column_tells_a_note_and_a_change_of_the_version(client: Client, dag: Dag) -> None:
    fill(dag, 1, note="looked <b>into</b>")
    dag.latest_version = DagVersion.objects.create(
        dag=dag, version_number=2, structure_hash="2", attributes_hash="a", document=json.dumps(to_json(SPEC))
    )
    fill(dag, 2, end_date=NOON + timedelta(seconds=90))
    columns = grid(client).columns.columns
    assert [column.version for column in columns] == [None, 2]
    shown = client.get("/dags/etl").content.decode()
    assert "looked &lt;b&gt;into" in shown and "from here on version 2" in shown
    DagVersion.objects.all().delete()
    assert client.get("/dags/etl").status_code == 200


def test_without_any_run_the_page_says_how_one_begins(client: Client) -> None:
    assert names(grid(client)) == ["start", "q", "q.a", "q.b"]
    shown = client.get("/dags/etl").content.decode()
    assert "No run has ended yet" in shown and "No task failed." in shown


def test_the_cards_count_failures_and_group_errors_that_differ_only_by_numbers(client: Client, dag: Dag) -> None:
    from orchestrator.kernel.clock import utcnow

    for number in range(3):
        fill(dag, number, state="failed", end_date=NOON + timedelta(seconds=30 + number))
    DagRun.objects.update(run_after=utcnow())
    cards = client.get("/dags/etl").context["cards"]
    assert sorted((item.task_id, item.number) for item in cards.failures) == [("q.a", 3), ("q.b", 3)]
    assert sorted((group.text.rstrip("0123456789"), group.number) for group in cards.errors) == [("", 3), ("ValueError: row ", 3)]
    assert len(cards.trend.bars) == 3
    assert cards.trend.median.label == "31 s"


def test_a_cell_tells_what_it_stands_for(client: Client, dag: Dag) -> None:
    run = fill(dag, 1, state="failed")
    make_ti(run, "gone", state=None)
    page = client.get(f"/dags/etl/cell?run={run.pk}&name=q")
    assert page.context["cell"].counts == [("failed", 2), ("success", 3)]
    assert "/tasks/group/q/clear" in page.content.decode()
    hint = client.get(f"/dags/etl/cell?run={run.pk}&name=q.a&hint").content.decode()
    assert "ValueError: row 1" in hint and "<main" not in hint
    assert client.get(f"/dags/etl/cell?run={run.pk}&name=gone").status_code == 200
    assert "/clear" not in client_of("Viewer").get(f"/dags/etl/cell?run={run.pk}&name=q.b").content.decode()
    for wrong in (f"run={run.pk}&name=nothing", "run=999&name=q", "run=x&name=q", "", "run=99999999999999999999999&name=q"):
        assert client.get(f"/dags/etl/cell?{wrong}").status_code == 404


def test_the_strip_below_a_cell_shows_the_proportion_and_leaves_no_state_out() -> None:
    assert bands(Counter(success=7, failed=1)) == ["failed", "success", "success", "success"]
    assert bands(Counter(success=1)) == ["success"] * 4
    assert bands(Counter(success=999, failed=1, running=1, skipped=1, queued=1)) == ["failed", "running", "queued", "success"]
    assert sum_cell(Counter()) == "<td>"


def test_the_style_sheet_of_the_grid_has_the_mark_and_the_word_of_every_state() -> None:
    css = (settings.BASE_DIR / "static/css/grid.css").read_text()
    for state, (glyph, family) in STATES.items():
        word = (state or "no state").replace("_", " ")
        assert f'.grid td.{state or "none"}::before {{ content: "{glyph}"; content: "{glyph}" / "{word}"; }}' in css
        assert f"var(--{family.split('-')[0]}" in css or family == "none"


def test_measures_of_a_chart_are_values_that_there_were() -> None:
    assert [quantile([1, 2, 3, 4], share) for share in (0.5, 0.95)] == [2, 4]
    assert quantile([7], 0.5) == quantile([7], 0.95) == 7
    assert [line.label for line in ticks(95)] == ["30 s", "1 m 00 s", "1 m 30 s"]


def test_c10_a_grid_of_25000_cells_is_small_and_costs_as_many_queries_as_one_of_a_few(client: Client, dag: Dag) -> None:
    def queries(dag_id: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(f"/dags/{dag_id}?runs=50&open=*")
            assert answer.status_code == 200 and len(gzip.compress(answer.content)) < 60_000
        return len(seen)

    fill(dag, 1)
    few = queries("etl")
    wide = make_dag("wide", DagSpec(dag_id="wide", tasks=[TaskSpec(task_id=f"step_{number:03d}") for number in range(500)]))
    states = ("success", "failed", "skipped", None)
    for number in range(50):
        run = make_run(wide, f"w{number}", run_after=NOON + timedelta(hours=number))
        TaskInstance.objects.bulk_create(
            TaskInstance(dag_run=run, dag_id="wide", run_id=run.run_id, task_id=f"step_{t:03d}", state=states[t * number % 4])
            for t in range(500)
        )
    assert queries("wide") == few
