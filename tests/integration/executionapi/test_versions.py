"""API versions, health, unknown paths; and the paths of every version against the recorded contract."""

from __future__ import annotations

import re
from typing import Any

import pytest

from executionapi.routing import match
from executionapi.versions import HEAD, VERSIONS
from runs.models import DagRun
from tests.factories import make_dag, make_run, make_ti
from tests.integration.executionapi.conftest import Worker
from tests.oracle import oracle_json

# Assets, people's input and stores come with another issue.
LATER = ("/asset", "/connection-tests", "/store")


@pytest.mark.parametrize(
    ("asked", "status"),
    [("", 200), ("2025-04-28", 200), ("2025-05-01", 200), ("2030-01-01", 200), ("2020-01-01", 404), ("zzz", 422)],
)
def test_a_version_is_chosen_by_date(client: Any, asked: str, status: int) -> None:
    response = client.get("/execution/health", headers={"Airflow-API-Version": asked} if asked else {})
    assert response.status_code == status
    assert response.headers["Airflow-API-Version"] == (asked or HEAD)
    if status == 422:
        (error,) = response.json()["detail"]
        assert (error["type"], error["loc"]) == ("date_from_datetime_parsing", ["header", "Airflow-API-Version"])


def test_health_needs_neither_token_nor_database(client: Any) -> None:
    assert client.get("/execution/health").json() == {"status": "healthy"}
    assert client.get("/execution/health/ping").json()["failing"] == {}


def test_an_unknown_path_is_404_and_a_wrong_method_405(client: Any) -> None:
    unknown = client.get("/execution/nothing")
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "Not Found"})
    wrong = client.post("/execution/health")
    assert (wrong.status_code, wrong.json(), wrong.headers["Allow"]) == (405, {"detail": "Method Not Allowed"}, "GET")


def test_a_correlation_id_comes_back(client: Any) -> None:
    response = client.get("/execution/health", headers={"correlation-id": "abc"})
    assert response.headers["correlation-id"] == "abc"


def test_the_versions_are_the_recorded_ones() -> None:
    contract = oracle_json("execution_contract.json")
    assert (HEAD, list(VERSIONS)) == (contract["head_version"], contract["versions"])


def _paths(contract: Any, version: str) -> set[str]:
    known = {f"{o['method']} {o['path']}" for o in contract["contract"]["operations"]}
    if version != HEAD:
        old = contract["by_version"][version]
        known = known - set(old["operations_missing_vs_head"]) | set(old["operations_extra_vs_head"])
    return {name for name in known if not name.partition(" ")[2].startswith(LATER)}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_of_a_version_is_there(version: str) -> None:
    for name in _paths(oracle_json("execution_contract.json"), version):
        method, _, path = name.partition(" ")
        operation, _ = match(method, re.sub(r"\{\w+\}", "1", path).lstrip("/"), version)
        assert operation.method == method
        assert re.sub(r"\{(\w+)(:path)?\}", r"{\1}", operation.path) == path.lstrip("/")


@pytest.mark.django_db
@pytest.mark.parametrize("version", VERSIONS)
def test_the_run_context_has_the_fields_of_its_version(version: str) -> None:
    run = make_run(make_dag(), start_date=None)
    DagRun.objects.update(conf={"a": 1})
    worker = Worker(make_ti(run, next_method="m", next_kwargs={"event": [{"a": 1}]}))
    body = {"state": "running", "hostname": "h", "unixname": "u", "pid": 7, "start_date": "2026-01-05T12:00:00Z"}
    context = worker.send("PATCH", worker.path("run"), body, worker.workload, version).json()
    assert set(context) == _fields("TIRunContext", version)
    assert set(context["dag_run"]) == _fields("DagRun", version)
    if version < "2026-04-06":
        assert context["dag_run"]["start_date"] == "2026-01-05T12:00:00Z"
        tagged = {"__type": "dict", "__var": {"a": 1}}
        assert context["next_kwargs"] == {"__type": "dict", "__var": {"event": [tagged]}}
    else:
        assert context["dag_run"]["start_date"] is None


def _fields(schema: str, version: str) -> set[str]:
    contract = oracle_json("execution_contract.json")
    head = contract["contract"]["schemas"][schema]["fields"]
    if version == HEAD:
        return set(head)
    return set(contract["by_version"][version]["schemas_different"].get(schema, {"fields": head})["fields"])


@pytest.mark.django_db
def test_an_operation_that_a_version_does_not_know_is_404(running: Worker) -> None:
    known_by_another_method = ("dag-runs/d/r", "2025-08-10", 405)
    for path, version, status in [("dags/d", "2025-11-05", 404), ("variables/keys", "2026-04-06", 404), known_by_another_method]:
        assert running.send("GET", path, version=version).status_code == status
