"""Filters, orders and pages of the lists."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec
from runs.models import DagRun, TaskInstance
from tests.factories import NOON, make_dag, make_run, make_ti


@pytest.fixture
def dags(db: None) -> None:
    names = {
        "example_params_ui": "Params UI",
        "example_task_group": "",
        "example_xcom": "",
        "example_xcom_args": "",
        "latest_only": "",
        "tutorial": "",
    }
    for dag_id, shown in names.items():
        dag = make_dag(dag_id, dag_display_name=shown, owners="airflow, ops" if "xcom" in dag_id else "airflow")
        dag.tags.create(name="example")
    dag.tags.create(name="first")
    make_dag("gone", is_stale=True)
    run = make_run(dag, "old", state="failed", run_after=NOON)
    run = make_run(dag, "new", state="success", run_after=NOON + timedelta(hours=1), start_date=NOON + timedelta(hours=1))
    make_ti(run)


def _ids(client: Client, query: str) -> Any:
    answer = client.get(f"/api/v2/dags?{query}")
    assert answer.status_code == 200, answer.content
    return [dag["dag_id"] for dag in answer.json()["dags"]]


TIMES = [
    ("run_after_gte=2026-01-05T13:00:00Z", ["t1", "t2", "t3"]),
    ("run_after_gt=2026-01-05T13:00:00Z", ["t2", "t3"]),
    ("run_after_lte=2026-01-05T13:00:00Z", ["t0", "t1"]),
    ("run_after_gte=2026-01-05T13:00:00Z&run_after_lt=2026-01-05T15:00:00Z", ["t1", "t2"]),
    ("run_after_gte=2026-01-05T13:00:00Z&order_by=-run_after", ["t3", "t2", "t1"]),
    ("logical_date_lt=2026-01-05T14:00:00Z", ["t0", "t1"]),
    ("run_after_gte=2027-01-01", []),
]


@pytest.mark.parametrize("most", [1000, 1, 0])
@pytest.mark.parametrize(("query", "found"), TIMES, ids=[query for query, _ in TIMES])
def test_task_instances_are_chosen_by_the_times_of_their_runs_however_many_runs_that_are(
    client: Client, monkeypatch: pytest.MonkeyPatch, query: str, found: list[str], most: int
) -> None:
    """The run of the first hour has a key in the midst of the others, which the keys alone must not let in."""
    monkeypatch.setattr("runs.narrowing.MOST_RUNS", most)
    dag = make_dag("d")
    for hour in (1, 0, 3, 2):
        when = NOON + timedelta(hours=hour)
        make_ti(make_run(dag, f"r{hour}", run_after=when, logical_date=when), f"t{hour}", id=UUID(int=hour))
    for path in ("~/dagRuns/~", "d/dagRuns/~"):
        answer = client.get(f"/api/v2/dags/{path}/taskInstances?{query}")
        assert [row["task_id"] for row in answer.json()["task_instances"]] == found
        assert answer.json()["total_entries"] == len(found)
    body = {name: value for name, value in (part.split("=") for part in query.split("&")) if name != "order_by"}
    if "Z" in query:
        batch = client.post("/api/v2/dags/~/dagRuns/~/taskInstances/list", body, content_type="application/json").json()
        assert {row["task_id"] for row in batch["task_instances"]} == set(found)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("dag_id_pattern=XCOM", ["example_xcom", "example_xcom_args"]),
        ("dag_id_pattern=xcom|tutorial", ["example_xcom", "example_xcom_args", "tutorial"]),
        ("dag_id_pattern=example_%25_group", ["example_task_group"]),
        ("dag_id_pattern=%5F%5Fxcom", ["example_xcom", "example_xcom_args"]),
        ("dag_id_pattern=x.com", []),
        ("dag_id_prefix_pattern=Example_", []),
        ("dag_id_prefix_pattern=tutorial|latest", ["latest_only", "tutorial"]),
        ("dag_display_name_pattern=params", ["example_params_ui"]),
        ("tags=first", ["tutorial"]),
        ("tags=first&tags=example&tags_match_mode=all", ["tutorial"]),
        ("tags=first&tags=nope", ["tutorial"]),
        ("tags=", []),
        ("owners=ops", ["example_xcom", "example_xcom_args"]),
        ("owners=OP", ["example_xcom", "example_xcom_args"]),
        ("owners=o_s", []),
        ("last_dag_run_state=failed", []),
        ("last_dag_run_state=success", ["tutorial"]),
        ("dag_run_state=failed", ["tutorial"]),
        ("dag_run_start_date_gt=2026-01-05T12:30:00Z", ["tutorial"]),
        ("bundle_name=zzz", []),
        ("paused=true", []),
        ("order_by=-dag_id&limit=2", ["tutorial", "latest_only"]),
        ("limit=2&offset=1", ["example_task_group", "example_xcom"]),
        ("limit=0", []),
        ("exclude_stale=false&dag_id_pattern=gone", ["gone"]),
        ("bogus=1&dag_id_pattern=tutorial", ["tutorial"]),
    ],
)
def test_dags_are_chosen_as_airflow_chooses_them(client: Client, dags: None, query: str, found: list[str]) -> None:
    assert _ids(client, query) == found


def test_more_than_a_hundred_rows_are_cut_in_silence(client: Client, dags: None) -> None:
    run = DagRun.objects.get(run_id="new")
    TaskInstance.objects.bulk_create(
        TaskInstance(dag_run=run, dag_id=run.dag_id, run_id=run.run_id, task_id=f"t{n}", state="success") for n in range(120)
    )
    body = client.get("/api/v2/dags/~/dagRuns/~/taskInstances?limit=1000").json()
    assert (len(body["task_instances"]), body["total_entries"]) == (100, 121)
    assert len(client.get("/api/v2/dags/~/dagRuns/~/taskInstances").json()["task_instances"]) == 50


@pytest.mark.parametrize("order", ["id", "-id", "start_date", "-start_date", "duration", "end_date"])
def test_cursors_lead_through_all_rows_once_and_back(client: Client, dags: None, order: str) -> None:
    dag = DagRun.objects.first().dag
    for number in range(7):
        ended = NOON + timedelta(minutes=number) if number % 3 else None
        make_run(dag, f"c{number}", start_date=NOON + timedelta(minutes=number % 3), end_date=ended)
    path = f"/api/v2/dags/~/dagRuns?order_by={order}&limit=100"
    wanted = [run["dag_run_id"] for run in client.get(path).json()["dag_runs"]]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        body = client.get("/api/v2/dags/~/dagRuns", {"order_by": order, "limit": 2, "cursor": cursor}).json()
        seen += [run["dag_run_id"] for run in body["dag_runs"]]
        cursor, back = body["next_cursor"], body["previous_cursor"]
    assert seen == wanted
    assert body["total_entries_limit"] >= body["total_entries"] == len(wanted)
    page = client.get("/api/v2/dags/~/dagRuns", {"order_by": order, "limit": 2, "cursor": back}).json()
    assert [run["dag_run_id"] for run in page["dag_runs"]] == wanted[-3:-1]


@pytest.mark.parametrize("cursor", ["abc", "~~~", "W10", "IiI"])
def test_a_broken_cursor_is_400(client: Client, dags: None, cursor: str) -> None:
    assert client.get(f"/api/v2/dags/~/dagRuns?cursor={cursor}").status_code == 400


def test_task_instances_of_a_group_and_of_no_state(client: Client) -> None:
    groups = [
        TaskGroupSpec(group_id=None, children=["outer", "z"]),
        TaskGroupSpec(group_id="outer", parent_id=None, children=["outer.a", "outer.inner"]),
        TaskGroupSpec(group_id="outer.inner", parent_id="outer", children=["outer.inner.b"]),
    ]
    tasks = [TaskSpec(task_id=name) for name in ("outer.a", "outer.inner.b", "z")]
    run = make_run(make_dag("g", DagSpec(dag_id="g", tasks=tasks, task_groups=groups)), "r")
    for task, state in zip(tasks, ("success", None, "failed"), strict=True):
        make_ti(run, task.task_id, state=state)
    path = "/api/v2/dags/g/dagRuns/r/taskInstances"

    def found(query: str) -> set[str]:
        return {ti["task_id"] for ti in client.get(f"{path}?{query}").json()["task_instances"]}

    assert found("task_group_id=outer") == {"outer.a", "outer.inner.b"}
    assert found("task_group_id=outer.inner") == {"outer.inner.b"}
    assert found("state=none&state=failed") == {"outer.inner.b", "z"}
    assert client.get(f"{path}?task_group_id=x").json()["detail"]["reason"] == "not_found"


@pytest.mark.parametrize(
    "query",
    [
        "limit=99999999999999999999",
        "map_index=1e400",
        "start_date_gte=99999-01-01",
        "duration_gte=nan",
        "run_id_pattern=(((",
        "run_id_pattern=%25|%25",
        "offset=9223372036854775807",
        "order_by=",
        "state=",
    ],
)
def test_strange_parameters_never_break_the_server(client: Client, dags: None, query: str) -> None:
    assert client.get(f"/api/v2/dags/~/dagRuns/~/taskInstances?{query}").status_code < 500
    assert client.get(f"/api/v2/dags/~/dagRuns?{query}").status_code < 500


@pytest.mark.parametrize("name", ["dag_id", "run_id", "triggering_user_name", "partition_key"])
def test_runs_are_matched_by_patterns_on_every_column(client: Client, dags: None, name: str) -> None:
    DagRun.objects.filter(run_id="new").update(triggering_user_name="new", partition_key="new")
    DagRun.objects.filter(run_id="old").update(triggering_user_name="old", partition_key="old")
    pattern, wanted = ("tu_or", 2) if name == "dag_id" else ("N_w", 1)
    for kind, text in (("pattern", pattern), ("prefix_pattern", "tut" if name == "dag_id" else "ne")):
        body = client.get(f"/api/v2/dags/~/dagRuns?{name}_{kind}={text}").json()
        assert body["total_entries"] == wanted
