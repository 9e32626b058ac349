"""The tasks of a DAG through the REST API: names, documentation, colours as the author gave them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from orchestrator.sdk import DAG, Param, TaskGroup
from orchestrator.sdk.operators.bash import BashOperator
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.serialization.encode import encode_dag
from tests.conformance.example_files import example_folder
from tests.conformance.test_example_dags import _text, parsed
from tests.factories import make_dag
from tests.oracle import oracle_json


class Painted(BashOperator):
    custom_operator_name = "Painter"
    ui_color, ui_fgcolor = "#123456", "#fed"


@pytest.fixture
def dag(db: None) -> Any:
    with DAG("d", params={"p": Param(1, type="integer")}) as dag:
        shown = Painted(
            task_id="a",
            bash_command="true",
            task_display_name="Say it",
            doc_md="# Why",
            owner="me",
            retry_delay=timedelta(days=1.5),
        )
        shown >> EmptyOperator(task_id="b", execution_timeout=timedelta(seconds=1.5))
    return make_dag("d", encode_dag(dag))


def test_a_task_shows_what_the_author_gave_it(client: Client, dag: Any, fits_schema: Any) -> None:
    body = client.get("/api/v2/dags/d/tasks/a").json()
    fits_schema("TaskResponse", body)
    wanted = {
        "task_display_name": "Say it",
        "operator_name": "Painter",
        "ui_color": "#123456",
        "ui_fgcolor": "#fed",
        "owner": "me",
    }
    wanted |= {"doc_md": "# Why", "downstream_task_ids": ["b"], "is_mapped": False, "extra_links": [], "pool_slots": 1.0}
    assert {name: body[name] for name in wanted} == wanted
    assert body["retry_delay"] == {"__type": "TimeDelta", "days": 1, "seconds": 43200, "microseconds": 0}
    assert body["params"]["p"]["value"] == 1


def test_tasks_that_are_equal_in_what_they_are_ordered_by_come_as_they_were_written(client: Client, db: None) -> None:
    with DAG("e") as written:
        last = EmptyOperator(task_id="z")
        with TaskGroup("g"):
            EmptyOperator(task_id="y") >> last
        EmptyOperator(task_id="a") >> last
    make_dag("e", encode_dag(written))
    for query in ("operator_name", "start_date", "-operator_name"):
        body = client.get(f"/api/v2/dags/e/tasks?order_by={query}").json()
        assert [task["task_id"] for task in body["tasks"]] == ["z", "g.y", "a"]


def test_tasks_come_in_the_order_asked_for(client: Client, dag: Any) -> None:
    body = client.get("/api/v2/dags/d/tasks?order_by=-task_id").json()
    assert ([task["task_id"] for task in body["tasks"]], body["total_entries"]) == (["b", "a"], 2)
    assert body["tasks"][0]["execution_timeout"] == {"__type": "TimeDelta", "days": 0, "seconds": 1, "microseconds": 500000}
    assert client.get("/api/v2/dags/d/tasks?order_by=nothing").status_code == 400


@pytest.mark.parametrize(("path", "detail"), [("x/tasks", "ID: `x`"), ("d/tasks/x", "Task with id x was not found")])
def test_what_is_not_there_is_404(client: Client, dag: Any, path: str, detail: str) -> None:
    answer = client.get(f"/api/v2/dags/{path}")
    assert answer.status_code == 404
    assert detail in answer.json()["detail"]


def test_the_example_dags_show_the_recorded_tasks(client: Client, db: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    from orchestrator.sdk.serialization.spec import from_json

    assert example_folder()
    dags, _ = parsed(str(tmp_path_factory.mktemp("stubs")))
    recorded = oracle_json("dags_golden.json")["dags"]
    both = sorted(recorded.keys() & dags.keys())
    assert len(both) > 50
    for dag_id in both:
        make_dag(dag_id, from_json(dags[dag_id]))
        body = client.get(f"/api/v2/dags/{dag_id}/tasks").json()
        shown = {task.pop("task_id"): {name: _text(value) for name, value in task.items()} for task in body["tasks"]}
        assert in_order(shown) == in_order(recorded[dag_id]["tasks"]), dag_id


def in_order(tasks: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """External Python operators make the list of their template fields from a set; a file's own module has no fixed name."""
    found = {name: task | {"template_fields": sorted(task["template_fields"])} for name, task in tasks.items()}
    for task in found.values():
        if not task["class_ref"]["module_path"].startswith("airflow."):
            task["class_ref"] = {"class_name": task["class_ref"]["class_name"]}
    return found
