"""Connections and variables for tasks."""

from __future__ import annotations

import json

import pytest

from accounts.models import AuditLog
from orchestrator.config import conf
from tests.integration.executionapi.conftest import Worker
from vault.models import Variable
from vault.services import connection_set, variable_set

pytestmark = pytest.mark.django_db


def test_a_connection_comes_with_its_secrets(running: Worker) -> None:
    connection_set("db", conn_type="postgres", host="h", schema="s", login="l", password="p", port=5, extra='{"a": 1}')
    response = running.send("GET", "connections/db")
    assert response.json() == {
        "conn_id": "db", "conn_type": "postgres", "host": "h", "schema": "s", "login": "l", "password": "p", "port": 5,
        "extra": '{"a": 1}',
    }  # fmt: skip


def test_a_missing_connection_or_variable_is_404(running: Worker) -> None:
    for path in ("connections/none", "variables/none"):
        response = running.send("GET", path)
        assert (response.status_code, response.json()["detail"]["reason"]) == (404, "not_found")


def test_a_variable_is_written_read_and_deleted(running: Worker) -> None:
    path = "variables/team/a b"
    response = running.send("PUT", path, {"val": "1", "description": "why"})
    assert (response.status_code, response.json()) == (201, {"message": "Variable successfully set"})
    assert running.send("GET", path).json() == {"key": "team/a b", "value": "1"}
    assert running.send("PUT", path, {"value": "2"}).status_code == 201
    assert Variable.objects.get().description == "why"
    for _ in range(2):
        assert running.send("DELETE", path).status_code == 204
    assert running.send("GET", path).status_code == 404


def test_a_wrong_variable_is_422(running: Worker) -> None:
    assert running.send("PUT", "variables/a", {}).json()["detail"][0]["loc"] == ["body", "val"]
    assert running.send("PUT", "variables/a", {"value": 1}).json()["detail"][0]["type"] == "string_type"


def test_the_environment_wins_over_the_database(running: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    variable_set("a", "database")
    monkeypatch.setenv("AIRFLOW_VAR_A", "environment")
    monkeypatch.setenv("AIRFLOW_CONN_WEB", "http://u:p@host:80/path")
    assert running.send("GET", "variables/a").json()["value"] == "environment"
    assert running.send("GET", "connections/web").json()["host"] == "host"


def test_variable_keys_are_listed_by_prefix(running: Worker) -> None:
    for key in ("b1", "a", "b2", "b_"):
        variable_set(key, "x")
    assert running.send("GET", "variables/keys").json() == {"keys": ["a", "b1", "b2", "b_"], "total_entries": 4}
    page = running.send("GET", "variables/keys", query={"prefix": "b", "limit": 1, "offset": 1}).json()
    assert page == {"keys": ["b2"], "total_entries": 3}
    assert running.send("GET", "variables/keys", query={"prefix": "b_"}).json()["keys"] == ["b_"]
    for query in ({"limit": 0}, {"limit": 10_001}, {"offset": -1}):
        assert running.send("GET", "variables/keys", query=query).status_code == 422


def test_an_unreadable_connection_says_why(running: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", "{no json")
    response = running.send("GET", "connections/broken")
    assert (response.status_code, response.json()["detail"]["reason"]) == (422, "unreadable")
    assert "AIRFLOW_CONN_BROKEN" in response.json()["detail"]["message"]


def test_no_secret_is_given_without_a_token(running: Worker) -> None:
    connection_set("db", conn_type="postgres", password="p")
    assert running.send("GET", "connections/db", token=None).status_code == 401


def test_who_read_which_secret_is_written_down_without_the_value(running: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """C29-e."""
    connection_set("db", conn_type="postgres", password="p4ssw0rd")
    variable_set("v", "s3cret-value")
    for path in ("connections/db", "variables/v", "variables/none"):
        running.send("GET", path)
    rows = list(AuditLog.objects.filter(event__startswith="read_").order_by("pk"))
    assert [(row.event, json.loads(row.extra or "")["key"]) for row in rows] == [
        ("read_connection", "db"),
        ("read_variable", "v"),
    ]
    assert all(row.dag_id and row.run_id and row.task_id and row.try_number is not None for row in rows)
    assert not any(secret in str(vars(row)) for row in rows for secret in ("p4ssw0rd", "s3cret-value"))
    monkeypatch.setitem(conf._values, ("secrets", "audit_reads"), False)
    running.send("GET", "variables/v")
    assert AuditLog.objects.filter(event="read_variable").count() == 1
