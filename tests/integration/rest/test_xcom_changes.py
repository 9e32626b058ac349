"""XComs written, changed and deleted by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditLog
from orchestrator.sdk.execution import xcom_objects
from runs.models import DagRun, XCom
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.specs import dag

pytestmark = pytest.mark.django_db
ENTRIES = "/api/v2/dags/d/dagRuns/r/taskInstances/a/xcomEntries"
Send = Callable[..., Any]


@pytest.fixture
def send(client: Client) -> Send:
    def call(method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body) if body is not None else ""
        return getattr(client, method)(path, data, content_type="application/json")

    return call


@pytest.fixture(autouse=True)
def run(db: None) -> DagRun:
    run = make_run(make_dag("d", dag("a")), state="success", logical_date=NOON)
    make_ti(run, "a", state="success")
    return run


def test_a_value_is_created_changed_and_deleted(send: Send) -> None:
    created = send("post", ENTRIES, {"key": "k", "value": {"a": [1]}})
    assert (created.status_code, created.json()["value"], created.json()["map_index"]) == (201, {"a": [1]}, -1)
    assert send("patch", f"{ENTRIES}/k", {"value": None}).json()["value"] is None
    assert send("get", f"{ENTRIES}/k").json()["value"] is None
    assert send("delete", f"{ENTRIES}/k").status_code == 204
    assert not XCom.objects.exists()
    events = ["create_xcom_entry", "update_xcom_entry", "delete_xcom_entry"]
    assert list(AuditLog.objects.order_by("pk").values_list("event", flat=True)) == events


def test_what_is_there_is_a_conflict_and_what_is_not_is_404(send: Send) -> None:
    send("post", ENTRIES, {"key": "k", "value": 1})
    assert send("post", ENTRIES, {"key": "k", "value": 2}).status_code == 409
    assert send("post", ENTRIES, {"key": "k", "value": 2, "map_index": 3}).status_code == 404
    assert send("patch", f"{ENTRIES}/other", {"value": 2}).status_code == 404
    assert send("delete", f"{ENTRIES}/other").status_code == 404
    assert send("post", ENTRIES.replace("/r/", "/nope/"), {"key": "k", "value": 2}).status_code == 404
    assert send("post", ENTRIES, {"key": "k"}).status_code == 422


def test_a_value_that_looks_like_a_reference_is_refused(send: Send) -> None:
    forged = {"__classname__": xcom_objects.MARK, "__version__": 1, "__data__": {"location": "x", "size": 1, "sha256": ""}}
    assert send("post", ENTRIES, {"key": "k", "value": forged}).status_code == 422


def test_a_large_value_goes_with_its_file(
    send: Send, run: DagRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__XCOM_STORE_PATH", str(tmp_path))
    reference = xcom_objects.write('"x"', xcom_objects.folder_of("d", "r", "a", -1, "k"))
    place = {"location": reference["__data__"]["location"], "size": 3, "timestamp": NOON}
    XCom.objects.create(dag_run=run, dag_id="d", run_id="r", task_id="a", key="k", value=json.dumps(reference), **place)
    with django_capture_on_commit_callbacks(execute=True):
        send("patch", f"{ENTRIES}/k", {"value": 1})
    assert not list(tmp_path.iterdir())
