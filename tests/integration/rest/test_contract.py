"""Operations of the REST API against the recorded contract: paths, parameters, fields of the answers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from orchestrator.rest import ui_urls
from orchestrator.rest.operations import Operation
from orchestrator.rest.urls import MODULES
from runs.models import DagRun, Pool, RenderedFields, TaskInstance, XCom
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.oracle import REPOSITORY, oracle_json

Fits = Callable[[str, dict[str, Any]], None]


@pytest.fixture
def ti(db: None) -> TaskInstance:
    dag = make_dag("d", owners="airflow, ops", timetable_type="CronTriggerTimetable")
    dag.tags.create(name="x")
    run = make_run(dag, "r", logical_date=NOON, end_date=NOON + timedelta(seconds=2.5), conf={"a": 1})
    ti = make_ti(run, "t", state="success", start_date=NOON, end_date=NOON, duration=1.0)
    RenderedFields.objects.create(ti_id=ti.pk, dag_run=run, fields='{"op_args": "[]"}')
    XCom.objects.create(dag_run=run, dag_id="d", run_id="r", task_id="t", key="k", value='{"x":[1,null]}', timestamp=NOON)
    Pool.objects.get_or_create(pool="default_pool", defaults={"slots": 128})
    return ti


def _operations() -> list[tuple[str, Operation]]:
    items = [item for module in MODULES for item in module.operations.items]
    return [("/api/v2" + item.path.replace(":path", ""), item) for item in items]


def _recorded() -> dict[tuple[str, str], Any]:
    return {(o["method"], o["path"].replace(":path", "")): o for o in oracle_json("rest_contract.json")["operations"]}


def test_every_operation_of_the_contract_has_its_name_and_takes_the_same_parameters() -> None:
    recorded = _recorded()
    for path, operation in _operations():
        wanted = recorded.get((operation.method, path))
        if wanted is not None:
            assert operation.operation_id == wanted["operationId"]
            asked = {p["name"] for p in wanted["params"] if p["in"] == "query"}
            assert {p.name for p in operation.params.items} == asked, path


def test_every_operation_beside_the_contract_is_described_as_an_addition() -> None:
    described = (REPOSITORY / "docs" / "rest_additions.md").read_text()
    additions = [f"{item.method} {path}" for path, item in _operations() if (item.method, path) not in _recorded()]
    additions += [f"{item.method} /ui{item.path}" for module in ui_urls.MODULES for item in module.operations.items]
    assert [addition for addition in additions if f"`{addition}`" not in described] == []


GETS = [
    ("/api/v2/version", "VersionInfo", None),
    ("/api/v2/monitor/health", "HealthInfoResponse", None),
    ("/api/v2/dags", "DAGResponse", "dags"),
    ("/api/v2/dags/d", "DAGResponse", None),
    ("/api/v2/dags/d/details", "DAGDetailsResponse", None),
    ("/api/v2/dags/d/dagRuns", "DAGRunResponse", "dag_runs"),
    ("/api/v2/dags/~/dagRuns", "DAGRunResponse", "dag_runs"),
    ("/api/v2/dags/d/dagRuns/r", "DAGRunResponse", None),
    ("/api/v2/dags/d/dagRuns/r/taskInstances", "TaskInstanceResponse", "task_instances"),
    ("/api/v2/dags/~/dagRuns/~/taskInstances", "TaskInstanceResponse", "task_instances"),
    ("/api/v2/dags/d/dagRuns/r/taskInstances/t", "TaskInstanceResponse", None),
    ("/api/v2/dags/d/dagRuns/r/taskInstances/t/-1", "TaskInstanceResponse", None),
    ("/api/v2/dags/d/dagRuns/r/taskInstances/t/tries", "TaskInstanceHistoryResponse", "task_instances"),
    ("/api/v2/dags/d/dagRuns/r/taskInstances/t/tries/1", "TaskInstanceHistoryResponse", None),
    ("/api/v2/dags/d/dagRuns/r/taskInstances/t/-1/tries", "TaskInstanceHistoryResponse", "task_instances"),
    ("/api/v2/dags/d/dagRuns/r/taskInstances/t/-1/tries/1", "TaskInstanceHistoryResponse", None),
    ("/api/v2/dags/d/dagRuns/r/taskInstances/t/xcomEntries", "XComResponse", "xcom_entries"),
    ("/api/v2/dags/~/dagRuns/~/taskInstances/~/xcomEntries", "XComResponse", "xcom_entries"),
    ("/api/v2/dags/d/dagRuns/r/taskInstances/t/xcomEntries/k", "XComResponseNative", None),
    ("/api/v2/dags/d/dagRuns/r/taskInstances/t/logs/1", "TaskInstancesLogResponse", None),
    ("/api/v2/dags/d/dagVersions", "DagVersionResponse", "dag_versions"),
    ("/api/v2/dags/d/dagVersions/1", "DagVersionResponse", None),
    ("/api/v2/pools", "PoolResponse", "pools"),
    ("/api/v2/pools/default_pool", "PoolResponse", None),
]


@pytest.mark.parametrize(("path", "schema", "key"), GETS, ids=[row[0] for row in GETS])
def test_an_answer_has_the_fields_of_the_contract(
    client: Client, ti: TaskInstance, fits_schema: Fits, path: str, schema: str, key: str | None
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    body = _body(answer)
    if key is not None:
        assert body["total_entries"] == 1
        body = body[key][0]
    fits_schema(schema, body)


def test_instants_are_printed_as_airflow_prints_them(client: Client, ti: TaskInstance) -> None:
    DagRun.objects.update(start_date=NOON.replace(microsecond=5))
    body = client.get("/api/v2/dags/d/dagRuns/r").json()
    assert (body["logical_date"], body["start_date"]) == ("2026-01-05T12:00:00Z", "2026-01-05T12:00:00.000005Z")
    assert body["duration"] == pytest.approx(2.499995)


def test_an_xcom_is_native_or_text_as_asked(client: Client, ti: TaskInstance) -> None:
    path = "/api/v2/dags/d/dagRuns/r/taskInstances/t/xcomEntries/k"
    assert client.get(path).json()["value"] == {"x": [1, None]}
    assert client.get(path + "?stringify=true").json()["value"] == "{'x': [1, None]}"


@pytest.mark.parametrize("path", ["/api/v2/dags/d/dagRuns/r/taskInstances", "/api/v2/dags/d/dagRuns", "/api/v2/dags"])
def test_the_number_of_queries_does_not_grow_with_the_page(
    client: Client, ti: TaskInstance, path: str, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(path + "?limit=100")
    for number in range(30):
        dag = make_dag(f"d{number}")
        run = make_run(dag, "r", run_after=NOON + timedelta(minutes=number))
        make_run(ti.dag_run.dag, f"r{number}")
        make_ti(run, "t")
        make_ti(ti.dag_run, f"t{number}")
    with CaptureQueriesContext(connection) as many:
        client.get(path + "?limit=100")
    assert len(many) <= max(len(few), 8)
    assert len(many) == len(few)


def _body(answer: Any) -> Any:
    import json

    return json.loads(b"".join(answer.streaming_content)) if answer.streaming else answer.json()
