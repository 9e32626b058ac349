"""Refusals of the REST API against the recorded ones: status, text, and which field is wrong how."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import TaskInstance
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.oracle import oracle_json

ERRORS: dict[str, Any] = oracle_json("rest_shapes_golden.json")["errors"]
_OURS = re.compile(
    r"^(GET /api/v2/(dags|importErrors|pools|version|monitor)"
    r"|PATCH /api/v2/dags(/nope|/example_xcom)?(\?\S*)? "
    r"|POST /api/v2/dags/(example_xcom|nope)/dagRuns \{"
    r"|PUT /api/v2/dags/example_xcom )"
)
_OTHERS = re.compile(r"/tasks|assets|state-store|dagStats|\"token\"|\"auth\"|limit=100000|bogus_param|not json")


def _concerns(key: str) -> bool:
    return bool(_OURS.match(key)) and not _OTHERS.search(key) and ERRORS[key]["status"] >= 400 and "xxxx" not in key


@pytest.fixture
def population(db: None) -> TaskInstance:
    dag = make_dag(
        "example_xcom", DagSpec(dag_id="example_xcom", timetable={"type": "NullTimetable"}, tasks=[TaskSpec(task_id="push")])
    )
    run = make_run(dag, "golden_1", logical_date=NOON.replace(hour=6))
    return make_ti(run, "push", state="success")


@pytest.mark.parametrize("key", [key for key in ERRORS if _concerns(key)])
def test_a_refusal_is_the_recorded_one(client: Client, population: TaskInstance, key: str) -> None:
    method, path, body = key.split(" ", 2)
    answer = client.generic(method, path, body, content_type="application/json")
    wanted = ERRORS[key]
    assert answer.status_code == wanted["status"], answer.content
    detail = answer.json()["detail"]
    if isinstance(detail, list):
        detail = [[item["type"], item["loc"]] for item in detail]
    assert _squashed(detail) == wanted["detail"]


def test_a_body_that_is_no_json_is_refused_where_it_breaks(client: Client, population: TaskInstance) -> None:
    answer = client.post("/api/v2/dags/example_xcom/dagRuns", b"{not json", content_type="application/json")
    assert answer.status_code == 422
    problem = answer.json()["detail"][0]
    assert (problem["type"], problem["loc"]) == ("json_invalid", ["body", 1])


def test_an_api_that_is_not_there_is_404_in_json(client: Client) -> None:
    answer = client.get("/api/v1/dags")
    assert (answer.status_code, list(answer.json())) == (404, ["error"])


def test_an_unknown_path_is_404_in_json(client: Client) -> None:
    answer = client.get("/api/v2/nope")
    assert answer.status_code == 404
    assert "error" in answer.json()


LISTS = oracle_json("rest_shapes_golden.json")["lists"]


@pytest.mark.parametrize(
    "key",
    [k for k, v in LISTS.items() if v["status"] >= 400 and re.match(r"/api/v2/(dags/(~|example_complex)/dagRuns|pools)", k)],
)
def test_a_wrong_list_parameter_is_refused_as_recorded(client: Client, key: str) -> None:
    dag = make_dag("example_complex")
    make_run(dag, "golden_1")
    answer = client.get(key)
    assert answer.status_code == LISTS[key]["status"]
    assert answer.json() == LISTS[key]["body"]


def _squashed(detail: Any) -> Any:
    text = re.sub(r"look for ID \w+", "look for ID <ID>", json.dumps(detail))
    return json.loads(re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<UUID>", text))
