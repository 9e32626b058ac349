"""What tasks may do with runs and read about DAGs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dags_app.models import Dag, DagTag
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import DagRun, TaskInstance
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.executionapi.conftest import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def dag(running: Worker) -> Dag:
    """The DAG of the running attempt."""
    found: Dag = running.ti.dag_run.dag
    return found


def test_a_run_is_triggered_once(running: Worker, dag: Dag) -> None:
    DagRun.objects.update(triggering_user_name="anna")
    body = {"logical_date": "2026-02-01T00:00:00Z", "conf": {"a": 1}, "note": "n"}
    assert running.send("POST", "dag-runs/d/new", body).status_code == 204
    run = DagRun.objects.get(run_id="new")
    assert (run.run_type, run.state, run.conf, run.triggered_by) == ("operator_triggered", "queued", {"a": 1}, "operator")
    assert (run.triggering_user_name, run.note) == ("anna", "n")
    again = running.send("POST", "dag-runs/d/new", body)
    assert (again.status_code, again.json()["detail"]["reason"]) == (409, "already_exists")
    assert DagRun.objects.filter(run_id="new").count() == 1


def test_a_dag_that_cannot_run_is_refused_with_a_reason(running: Worker, dag: Dag) -> None:
    assert running.send("POST", "dag-runs/none/r", {}).json()["detail"]["reason"] == "not_found"
    make_dag("strict", DagSpec(dag_id="strict", tasks=[TaskSpec(task_id="t")], allowed_run_types=["scheduled"]))
    response = running.send("POST", "dag-runs/strict/r", {})
    assert (response.status_code, response.json()["detail"]["reason"]) == (400, "denied_run_type")
    Dag.objects.update(has_import_errors=True)
    response = running.send("POST", "dag-runs/d/r2", {})
    assert (response.status_code, response.json()["detail"]["reason"]) == (400, "import_errors")
    Dag.objects.update(is_stale=True)
    assert running.send("POST", "dag-runs/d/r2", {}).status_code == 404


def test_a_wrong_trigger_is_422(running: Worker) -> None:
    response = running.send("POST", "dag-runs/d/new", {"zz": 1, "conf": [1], "reset_dag_run": "x"})
    assert [entry["type"] for entry in response.json()["detail"]] == ["dict_type", "bool_parsing", "extra_forbidden"]


def test_a_run_is_cleared(running: Worker, dag: Dag) -> None:
    run = make_run(dag, "done", state="success", end_date=NOON)
    make_ti(run, state="success")
    assert running.send("POST", "dag-runs/d/done/clear").status_code == 204
    run.refresh_from_db()
    assert run.state == "queued"
    assert TaskInstance.objects.get(dag_run=run).state is None
    assert running.send("POST", "dag-runs/d/none/clear").status_code == 404
    assert running.send("POST", "dag-runs/none/done/clear").status_code == 404


def test_state_and_detail_of_a_run(running: Worker) -> None:
    assert running.send("GET", "dag-runs/d/r/state").json() == {"state": "running"}
    assert running.send("GET", "dag-runs/d/r").json()["run_id"] == "r"
    for path in ("dag-runs/d/none/state", "dag-runs/d/none"):
        response = running.send("GET", path)
        assert (response.status_code, response.json()["detail"]["reason"]) == (404, "not_found")


def test_runs_are_counted(running: Worker, dag: Dag) -> None:
    make_run(dag, "a", state="success", logical_date=NOON)
    make_run(dag, "b", state="failed", logical_date=NOON + timedelta(days=1))
    for query, number in [
        ({}, 3),
        ({"states": ["success", "failed"]}, 2),
        ({"run_ids": ["a", "r"]}, 2),
        ({"logical_dates": ["2026-01-05T12:00:00Z"]}, 1),
        ({"run_ids": ["none"]}, 0),
    ]:
        assert running.send("GET", "dag-runs/count", query={"dag_id": "d", **query}).json() == number
    assert running.send("GET", "dag-runs/count").json()["detail"][0]["type"] == "missing"


def test_the_previous_run_is_found_by_date_and_state(running: Worker, dag: Dag) -> None:
    for days, state in [(1, "failed"), (2, "success"), (3, "success")]:
        make_run(dag, f"m{days}", state=state, logical_date=NOON - timedelta(days=days))
    query: dict[str, Any] = {"dag_id": "d", "logical_date": NOON.isoformat()}
    assert running.send("GET", "dag-runs/previous", query=query).json()["run_id"] == "m1"
    assert running.send("GET", "dag-runs/previous", query=query | {"state": "success"}).json()["run_id"] == "m2"
    assert running.send("GET", "dag-runs/previous", query=query | {"state": "running"}).json() is None
    assert running.send("GET", "dag-runs/previous", query=query | {"state": "zz"}).status_code == 422
    old = running.send("GET", "dag-runs/d/previous", query={"logical_date": NOON.isoformat()}, version="2025-08-10")
    assert old.json()["run_id"] == "m1"


def test_a_dag_is_described(running: Worker, dag: Dag) -> None:
    for name in ("b", "a"):
        DagTag.objects.create(dag=dag, name=name)
    assert running.send("GET", "dags/d").json() == {
        "dag_id": "d",
        "is_paused": False,
        "bundle_name": "dags-folder",
        "bundle_version": None,
        "relative_fileloc": "d.py",
        "owners": "",
        "tags": ["a", "b"],
        "next_dagrun": None,
    }
    assert running.send("GET", "dags/none").status_code == 404
