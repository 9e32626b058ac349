"""Odd values in queries and bodies mean what they mean to Airflow 3.3.2: each case was asked of both servers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from dags_app.models import Asset
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from runs.models import AssetEvent, DagRun, TaskInstance
from tests.factories import NOON, make_dag, make_run, make_ti
from vault.models import Variable

JSON = "application/json"
LONG = "99999999999999999999"


@pytest.fixture
def ti(db: None) -> TaskInstance:
    dag = make_dag("d", owners="ann")
    make_dag("idle")
    run = make_run(dag, "r", run_after=NOON, logical_date=NOON, start_date=NOON, conf={"a_b": 1}, bundle_version="v1")
    return make_ti(run, task_id="t", map_index=3)


def _total(client: Client, path: str) -> Any:
    answer = client.get(f"/api/v2{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()["total_entries"]


@pytest.mark.parametrize(
    ("path", "total"),
    [
        ("/dags/d/dagRuns?bundle_version=", 1),
        ("/dags/d/dagRuns?bundle_version=v2", 0),
        ("/importErrors?filename=", 0),
        ("/dags/d/dagRuns/r/taskInstances?task_id=", 1),
        ("/dags?dag_id_prefix_pattern=_", 2),
        ("/dags?dag_id_prefix_pattern=d_%25", 1),
        ("/dags?dag_id_prefix_pattern=d_x", 0),
        ("/dags?limit=" + LONG, 2),
        ("/dags?offset=" + LONG, 2),
        ("/dags?dag_run_state=none", 1),
        ("/dags?dag_run_state=none&dag_run_state=queued", 2),
        ("/dags?owners=NN", 1),
        ("/dags?owners=", 2),
        ("/dags/d/dagRuns?state=none", 0),
        ("/dags/d/dagRuns?run_type=none", 0),
        ("/dags/d/dagRuns?conf_contains=a%25b", 1),
        ("/dags/d/dagRuns?conf_contains=ab", 0),
        ("/dags/d/dagRuns/r/taskInstances?rendered_map_index_pattern=3", 1),
        ("/dags/d/dagRuns/r/taskInstances?rendered_map_index_prefix_pattern=4", 0),
        ("/dags/d/dagRuns?logical_date_gte=1767614400", 1),  # noon of 2026-01-05
        ("/dags/d/dagRuns?logical_date_gt=1767614400.0", 0),
        ("/dags/d/dagRuns?logical_date_gte=1767614400001", 0),  # in milliseconds
        ("/dags/d/dagRuns?logical_date_gte=20260105", 1),  # seconds too, no day
        ("/dagStats", 1),
    ],
)
def test_a_filter_finds_what_airflow_finds(client: Client, ti: TaskInstance, path: str, total: int) -> None:
    DagRun.objects.update(state="queued")
    assert _total(client, path) == total


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/dags?limit=%D9%A3", 422, "int_parsing"),
        ("/dags?limit=-" + LONG, 422, "int_parsing_size"),
        ("/dags?dag_run_state=bogus", 422, None),
        ("/dags/d/dagRuns?cursor=~", 400, None),
        ("/dags/d/assets/queuedEvents?before=abc", 400, None),
        ("/dags/d/assets/queuedEvents?before=", 400, None),
        ("/dags/d/dagRuns?partition_date_gte=2026-02-01T00:00:00Z", 400, None),
        ("/dags/d/dagRuns?partition_date_gte=2026-02-01T01:00:00Z", 422, "date_from_datetime_inexact"),
        ("/dags/d/dagRuns?partition_date_gte=abc", 422, "date_from_datetime_parsing"),
        ("/dags/d/dagRuns/r/taskInstances?task_group_id=", 404, None),
        ("/connections/enqueue-test", 422, "missing"),
    ],
)
def test_a_value_is_refused_as_airflow_refuses_it(client: Client, ti: TaskInstance, path: str, status: int, kind: str) -> None:
    answer = client.get(f"/api/v2{path}")
    detail = answer.json()["detail"]
    assert (answer.status_code, detail[0]["type"] if isinstance(detail, list) else None) == (status, kind)


@pytest.mark.parametrize(
    ("sent", "content_type", "problem"),
    [
        (b'{"logical_date": null}', "text/plain", ("model_attributes_type", ["body"])),
        (b'{"logical_date": null}', "application/x-www-form-urlencoded", ("model_attributes_type", ["body"])),
        (b'{"logical_date": null}', "", ("model_attributes_type", ["body"])),
        (b"null", JSON, ("missing", ["body"])),
        (b"[]", JSON, ("model_attributes_type", ["body"])),
    ],
)
def test_only_json_that_says_so_is_read_as_json(
    client: Client, ti: TaskInstance, sent: bytes, content_type: str, problem: Any
) -> None:
    answer = client.generic("POST", "/api/v2/dags/d/dagRuns", sent, content_type=content_type)
    assert answer.status_code == 422
    assert [(found["type"], found["loc"]) for found in answer.json()["detail"]] == [problem]


@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=utf-8", "application/vnd.api+json"])
def test_json_goes_by_several_names(client: Client, ti: TaskInstance, content_type: str) -> None:
    answer = client.generic("POST", "/api/v2/dags/d/dagRuns", b'{"logical_date": null}', content_type=content_type)
    assert answer.status_code == 200


def test_a_run_without_a_logical_date_has_no_interval_and_an_empty_note_is_none(client: Client, ti: TaskInstance) -> None:
    body = {
        "logical_date": None,
        "note": "",
        "data_interval_start": "2026-01-01T00:00Z",
        "data_interval_end": "2026-01-02T00:00Z",
    }
    made = client.post("/api/v2/dags/d/dagRuns", body, content_type=JSON).json()
    assert (made["data_interval_start"], made["data_interval_end"], made["note"]) == (None, None, None)
    assert made["last_scheduling_decision"] is None


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        ("/pools", {"name": "p", "slots": 1.5}, ("int_from_float", ["body", "slots"])),
        ("/pools", {"name": "p", "slots": 1, "include_deferred": None}, ("bool_type", ["body", "include_deferred"])),
        ("/pools", {"name": "p", "slots": 1, "team_name": "t"}, ("value_error", ["body"])),
        ("/connections", {"connection_id": "c", "conn_type": "http", "team_name": "t"}, ("value_error", ["body"])),
        ("/variables", {"key": "k", "value": 1, "team_name": "t"}, ("value_error", ["body"])),
        ("/dags/~/dagRuns/list", {"states": ["queued", "bogus"]}, ("enum", ["body", "states", 1])),
        (
            "/backfills/dry_run",
            {"dag_id": "d", "from_date": None, "to_date": "2026-01-01T00:00Z"},
            ("datetime_type", ["body", "from_date"]),
        ),
        ("/dags/~/dagRuns/list", {"dag_ids": [5]}, ("string_type", ["body", "dag_ids", 0])),
    ],
)
def test_a_wrong_body_is_refused_where_airflow_refuses_it(client: Client, path: str, body: Any, problem: Any) -> None:
    answer = client.post(f"/api/v2{path}", body, content_type=JSON)
    assert answer.status_code == 422
    assert [(found["type"], found["loc"]) for found in answer.json()["detail"]] == [problem]


def test_a_pool_is_made_by_the_old_name_of_its_name(client: Client) -> None:
    assert client.post("/api/v2/pools", {"pool": "p", "slots": 1}, content_type=JSON).json()["name"] == "p"


def test_a_variable_keeps_the_description_that_was_not_sent(client: Client) -> None:
    Variable.objects.create(key="k", val="1", description="kept")
    path = "/api/v2/variables/k"
    assert client.patch(path, {"key": "k", "value": "2"}, content_type=JSON).json()["description"] == "kept"
    assert client.patch(path, {"key": "k", "value": "2", "description": None}, content_type=JSON).json()["description"] is None
    assert client.patch(path + "?update_mask=key", {"key": "k", "value": "3"}, content_type=JSON).status_code == 400


def test_a_bulk_body_says_everything_that_is_wrong_and_each_thing_twice(client: Client) -> None:
    actions = [
        {"action": "create", "entities": [{"key": "k"}], "action_on_existence": "maybe"},
        {"action": "delete", "entities": [5]},
        {"action": "update", "bogus": 1},
    ]
    answer = client.patch("/api/v2/variables", {"actions": actions}, content_type=JSON)
    first = ["body", "actions", 0, "create"]
    second, third = ["body", "actions", 1, "delete", "entities", 0], ["body", "actions", 2, "update"]
    said = [
        ("missing", [*first, "entities", 0, "value"]),
        ("enum", [*first, "action_on_existence"]),
        ("string_type", [*second, "str"]),
        ("model_attributes_type", [*second, "function-after[validate_team_name(), VariableBody]"]),
        ("missing", [*third, "entities"]),
        ("extra_forbidden", [*third, "bogus"]),
    ]
    assert [(found["type"], found["loc"]) for found in answer.json()["detail"]] == said * 2


def test_what_is_deleted_answers_without_text_as_json(client: Client) -> None:
    Variable.objects.create(key="k", val="1")
    answer = client.delete("/api/v2/variables/k")
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (204, b"", JSON)


def test_the_health_of_a_part_that_has_ended_tells_its_last_heartbeat(client: Client) -> None:
    then = utcnow() - timedelta(hours=1)
    Process.objects.create(kind="dag_processor", hostname="h", pid=1, started_at=then, heartbeat_at=then, ended_at=then)
    found = client.get("/api/v2/monitor/health").json()
    assert found["dag_processor"] == {"status": "unhealthy", "latest_dag_processor_heartbeat": then.isoformat()}
    assert found["triggerer"] == {"status": None, "latest_triggerer_heartbeat": None}


def test_a_task_instance_that_is_not_there_has_no_dependencies(client: Client, ti: TaskInstance) -> None:
    answer = client.get("/api/v2/dags/d/dagRuns/r/taskInstances/t/dependencies?map_index=9")
    assert answer.status_code == 404 and isinstance(answer.json()["detail"], list)


@pytest.mark.parametrize("way", ["/9/dry_run", "/9"])
def test_a_map_index_that_is_not_there_is_told_in_a_list(client: Client, ti: TaskInstance, way: str) -> None:
    answer = client.patch(f"/api/v2/dags/d/dagRuns/r/taskInstances/t{way}", {"new_state": "failed"}, content_type=JSON)
    assert answer.status_code == 404 and isinstance(answer.json()["detail"], list)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"__classname__": "a.B", "__data__": 1}, "value"),
        ([{"a": {"__type": "x"}}], "value[0].a"),
        ('{"a": {"__var": 1}}', "value.a"),
    ],
)
def test_an_xcom_by_rest_holds_no_marks_of_serialized_objects(client: Client, ti: TaskInstance, value: Any, where: str) -> None:
    path = "/api/v2/dags/d/dagRuns/r/taskInstances/t/xcomEntries"
    answer = client.post(path, {"key": "k", "value": value, "map_index": 3}, content_type=JSON)
    assert answer.status_code == 422
    found = answer.json()["detail"][0]
    assert found["loc"] == ["body", "value"] and f"XCom {where} contains" in found["msg"]
    assert client.post(path, {"key": "k", "value": "{no json", "map_index": 3}, content_type=JSON).status_code == 201


def test_an_xcom_that_is_written_by_hand_is_found_in_the_log_of_its_run(client: Client, ti: TaskInstance) -> None:
    path = "/api/v2/dags/d/dagRuns/r/taskInstances/t/xcomEntries"
    client.post(path, {"key": "k", "value": 1, "map_index": 3}, content_type=JSON)
    found = client.get("/api/v2/eventLogs?run_id=r&event=create_xcom_entry").json()["event_logs"]
    assert [(row["dag_id"], row["task_id"], row["map_index"]) for row in found] == [("d", "t", 3)]


def test_an_empty_extra_of_a_connection_is_an_empty_object(client: Client) -> None:
    body = {"connection_id": "c", "conn_type": "http", "extra": ""}
    assert client.post("/api/v2/connections", body, content_type=JSON).json()["extra"] == "{}"


@pytest.mark.parametrize("way", ["", "-"])
@pytest.mark.parametrize(
    "path",
    [
        *("jobs?order_by={}" + name for name in ("dag_id", "state", "executor_class", "unixname", "hostname")),
        "connections?order_by={}team_name",
        "variables?order_by={}team_name",
    ],
)
def test_a_list_can_be_ordered_by_all_that_airflow_orders_by(client: Client, path: str, way: str) -> None:
    now = utcnow()
    for kind, ended in (("scheduler", None), ("supervisor", now), ("triggerer", None)):
        Process.objects.create(kind=kind, hostname=kind, pid=1, started_at=now, heartbeat_at=now, ended_at=ended)
    answer = client.get("/api/v2/" + path.format(way))
    assert answer.status_code == 200
    assert client.get("/api/v2/jobs?job_state=&job_type=&executor_class=&hostname=").json()["total_entries"] == 3
    if "state" in path:
        states = [job["state"] for job in answer.json()["jobs"]]
        assert states == sorted(states, reverse=bool(way)) and len(states) == 3


def test_secrets_of_assets_and_events_are_hidden(client: Client) -> None:
    asset = Asset.objects.create(name="a", uri="s3://b", extra={"password": "hunter2", "n": 1})
    body = {"asset_id": asset.pk, "extra": {"api_key": "hunter2"}}
    answer = client.post("/api/v2/assets/events", body, content_type=JSON)
    assert answer.json()["extra"] == {"api_key": "***", "from_rest_api": True}
    assert client.get(f"/api/v2/assets/{asset.pk}").json()["extra"] == {"password": "***", "n": 1}
    assert AssetEvent.objects.get().extra["api_key"] == "hunter2"
    wrong = client.post("/api/v2/assets/events", {"asset_id": asset.pk, "access_control": {"bogus": 1}}, content_type=JSON)
    assert wrong.json()["detail"][0]["loc"] == ["body", "access_control", "bogus"]


def test_runs_of_the_api_are_named_by_their_time_alone(client: Client, ti: TaskInstance) -> None:
    body = {"logical_date": None, "run_after": "2026-03-01T00:00:00Z"}
    names = [client.post("/api/v2/dags/d/dagRuns", body, content_type=JSON).json()["dag_run_id"] for _ in range(2)]
    assert names[0] == "manual__2026-03-01T00:00:00+00:00"
    assert names[1].startswith(f"{names[0]}_")


def test_an_asset_prefix_ends_at_its_last_letter(client: Client) -> None:
    Asset.objects.create(name="ak", uri="s3://b")
    assert _total(client, "/assets?name_prefix_pattern=a_") == 1
