"""What a task writes about itself and reads about others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec
from runs.models import DagRun, RenderedFields, RunEvent, TaskInstance
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.executionapi.conftest import Worker

pytestmark = pytest.mark.django_db


def test_rendered_fields_are_kept_and_replaced(running: Worker) -> None:
    for number in (1, 2):
        response = running.send("PUT", running.path("rtif"), {"bash_command": f"echo {number}"})
        assert response.status_code == 201
        assert response.json() == {"message": "Rendered task instance fields successfully set"}
    assert RenderedFields.objects.get().fields == '{"bash_command": "echo 2"}'
    assert running.send("PUT", running.path("rtif"), [1]).json()["detail"][0]["type"] == "dict_type"


def test_rendered_fields_of_an_attempt_that_is_history_are_410(running: Worker) -> None:
    running.state(state="up_for_retry")
    assert running.send("PUT", running.path("rtif"), {}).status_code == 410


def test_a_rendered_map_index_is_kept(running: Worker) -> None:
    path = running.path("rendered-map-index")
    assert running.send("PATCH", path, "north").status_code == 204
    assert running.row().rendered_map_index == "north"
    assert running.send("PATCH", path, 5).json()["detail"][0]["type"] == "string_type"
    assert running.send("PATCH", path, "").json() == {"detail": "rendered_map_index cannot be empty"}


def test_tasks_downstream_are_skipped_unless_they_run_or_ended(running: Worker) -> None:
    run = running.ti.dag_run
    states = {"none": None, "scheduled": "scheduled", "going": "running", "done": "success", "failed": "failed"}
    for task_id, state in states.items():
        make_ti(run, task_id, state=state)
    make_ti(run, "mapped", map_index=0, state=None)
    make_ti(run, "mapped", map_index=1, state=None)
    other = make_ti(make_run(run.dag, "other"), "none", state=None)
    for _ in range(2):
        response = running.send("PATCH", running.path("skip-downstream"), {"tasks": [*states, ["mapped", 1], "unknown"]})
        assert response.status_code == 204
    rows = TaskInstance.objects.filter(dag_run=run, state="skipped")
    assert set(rows.values_list("task_id", "map_index")) == {("none", -1), ("scheduled", -1), ("mapped", 1)}
    assert RunEvent.objects.filter(state="skipped").count() == 3
    other.refresh_from_db()
    assert other.state is None


def test_a_wrong_skip_is_422(running: Worker) -> None:
    for tasks in ([1], [["a"]], [["a", "b"]], "a"):
        assert running.send("PATCH", running.path("skip-downstream"), {"tasks": tasks}).status_code == 422


def test_the_previous_successful_run(running: Worker) -> None:
    nothing = {"data_interval_start": None, "data_interval_end": None, "start_date": None, "end_date": None}
    path = running.path("previous-successful-dagrun")
    assert running.send("GET", path).json() == nothing
    dag = running.ti.dag_run.dag
    DagRun.objects.update(logical_date=NOON)
    assert running.send("GET", path).json() == nothing
    make_run(dag, "a", state="success", logical_date=NOON - timedelta(days=2), data_interval_start=NOON)
    make_run(dag, "b", state="failed", logical_date=NOON - timedelta(days=1))
    assert running.send("GET", path).json() == nothing | {
        "data_interval_start": "2026-01-05T12:00:00Z",
        "start_date": "2026-01-05T12:00:00Z",
    }


def test_no_asset_is_inactive(running: Worker) -> None:
    path = running.path("validate-inlets-and-outlets")
    assert running.send("GET", path).json() == {"inactive_assets": []}


def test_an_attempt_without_pokes_has_no_reschedule_start(running: Worker) -> None:
    assert running.send("GET", f"task-reschedules/{running.ti.pk}/start_date").json() is None
    assert running.send("GET", f"task-reschedules/{new_id()}/start_date").status_code == 403


@pytest.fixture
def others(running: Worker) -> Worker:
    """A worker in a run of DAG ``g`` with a task group of two tasks, one of them mapped."""
    tasks = [
        TaskSpec(task_id="outside"),
        TaskSpec(task_id="g.a", task_group_id="g"),
        TaskSpec(task_id="g.h.m", task_group_id="g.h", is_mapped=True),
    ]
    groups = [TaskGroupSpec(None), TaskGroupSpec("g"), TaskGroupSpec("g.h", parent_id="g")]
    run = make_run(make_dag("g", DagSpec(dag_id="g", tasks=tasks, task_groups=groups)), "r1", logical_date=NOON)
    make_ti(run, "outside", state="success", end_date=NOON, duration=1.5, operator="X")
    make_ti(run, "g.a", state=None)
    make_ti(run, "g.h.m", map_index=0, state="failed")
    make_ti(run, "g.h.m", map_index=1, state="running")
    return running


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({}, 4),
        ({"task_ids": ["outside", "g.a"]}, 2),
        ({"map_index": 1}, 1),
        ({"states": ["success", "failed"]}, 2),
        ({"states": ["null"]}, 1),
        ({"states": ["null", "running"]}, 2),
        ({"task_group_id": "g"}, 3),
        ({"task_group_id": "g.h", "states": ["running"]}, 1),
        ({"run_ids": ["none"]}, 0),
        ({"logical_dates": ["2026-01-05T12:00:00Z"]}, 4),
    ],
)
def test_task_instances_are_counted(others: Worker, query: dict[str, Any], number: int) -> None:
    assert others.send("GET", "task-instances/count", query={"dag_id": "g", **query}).json() == number


def test_wrong_choices_are_named(others: Worker) -> None:
    assert others.send("GET", "task-instances/count").json()["detail"] == [
        {"type": "missing", "loc": ["query", "dag_id"], "msg": "Field required", "input": None}
    ]
    query = {"dag_id": "g", "map_index": "z", "logical_dates": "q"}
    wrong = others.send("GET", "task-instances/count", query=query).json()["detail"]
    assert [entry["loc"][1] for entry in wrong] == ["map_index", "logical_dates"]
    unknown = others.send("GET", "task-instances/count", query={"dag_id": "g", "task_group_id": "zz"})
    assert (unknown.status_code, unknown.json()["detail"]["reason"]) == (404, "not_found")


def test_states_are_named_by_task_and_map_index(others: Worker) -> None:
    response = others.send("GET", "task-instances/states", query={"dag_id": "g"})
    expected = {"outside": "success", "g.a": None, "g.h.m_0": "failed", "g.h.m_1": "running"}
    assert response.json() == {"task_states": {"r1": expected}}


def test_breadcrumbs_are_the_finished_ones(others: Worker) -> None:
    response = others.send("GET", "task-instances/breadcrumbs", query={"dag_id": "g", "run_id": "r1"})
    assert response.json()["breadcrumbs"] == [
        {"task_id": "g.h.m", "map_index": 0, "state": "failed", "operator": "", "duration": None},
        {"task_id": "outside", "map_index": -1, "state": "success", "operator": "X", "duration": 1.5},
    ]


def test_the_previous_task_instance(others: Worker) -> None:
    found = others.send("GET", "task-instances/previous/g/outside").json()
    assert found == {
        "task_id": "outside", "dag_id": "g", "run_id": "r1", "logical_date": "2026-01-05T12:00:00Z", "start_date": None,
        "end_date": "2026-01-05T12:00:00Z", "state": "success", "try_number": 1, "map_index": -1, "duration": 1.5,
    }  # fmt: skip
    earlier = {"logical_date": NOON.isoformat()}
    assert others.send("GET", "task-instances/previous/g/outside", query=earlier).json() is None
    assert others.send("GET", "task-instances/previous/g/outside", query={"state": "failed"}).json() is None
    assert others.send("GET", "task-instances/previous/g/outside", query={"state": "zz"}).status_code == 422
