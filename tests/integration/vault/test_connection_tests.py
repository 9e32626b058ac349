"""Tests of connections: off by default, carried out outside of the server's process, masked, ended in any case."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import transaction

from accounts.models import AuditLog, User
from executionapi.routing import match
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.execution.connection_probe import probe
from runs.connection_tests.launch import test_at_once as at_once
from runs.workload_tokens import issue_workload_token
from vault.connection_tests import TestRefusedError, parts_for
from vault.connection_tests import test_end as end
from vault.connection_tests import test_fetch as fetch
from vault.connection_tests import test_order as order
from vault.connection_tests import tests_claim as claim
from vault.connection_tests import tests_expire as expire
from vault.models import Connection, ConnectionTest
from vault.services import connection_set

pytestmark = pytest.mark.django_db
PARTS = {"conn_type": "http", "host": "h", "login": None, "password": "p4ssw0rd", "schema": None, "port": None, "extra": None}


@pytest.fixture
def enabled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AIRFLOW__CORE__TEST_CONNECTION", "Enabled")
    conf.reload()
    yield
    monkeypatch.undo()
    conf.reload()


@pytest.fixture
def rest(client: Any) -> Callable[..., Any]:
    client.force_login(User.objects.create_superuser("boss", password="boss-password"))

    def ask(method: str, path: str, body: Any = None, token: str = "") -> Any:
        headers = {"Airflow-Connection-Test-Token": token} if token else {}
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(client, method)(path, headers=headers, **data)

    return ask


def ordered(**more: Any) -> ConnectionTest:
    with transaction.atomic():
        return order("c", PARTS, actor="me", **more)


def test_a_test_is_fetched_once_and_its_result_is_masked_and_its_secrets_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(conf._values, ("core", "fernet_key"), Fernet.generate_key().decode())
    row = ordered()
    assert "p4ssw0rd" not in str(row.parts)
    assert fetch(row.pk) == {"conn_id": "c", **PARTS}
    with pytest.raises(TestRefusedError, match="state running"):
        fetch(row.pk)
    end(row.pk, "failed", "cannot sign in with p4ssw0rd")
    row.refresh_from_db()
    assert (row.state, row.result_message, row.parts) == ("failed", "cannot sign in with ***", None)
    with pytest.raises(TestRefusedError, match="terminal state: failed"):
        end(row.pk, "success", None)
    assert set(AuditLog.objects.values_list("event", flat=True)) == {"enqueue_connection_test", "connection_test"}


def test_a_connection_is_kept_only_after_success_and_only_where_that_was_ordered() -> None:
    end(ordered().pk, "success", "fine")
    assert not Connection.objects.exists()
    end(ordered(commit_on_success=True).pk, "failed", "no")
    assert not Connection.objects.exists()
    end(ordered(commit_on_success=True).pk, "success", "fine")
    assert Connection.objects.get().get_password() == "p4ssw0rd"


def test_one_test_at_a_time_and_each_goes_to_one_worker() -> None:
    row = ordered()
    with pytest.raises(TestRefusedError, match="already exists"):
        ordered()
    assert claim(5) == [row.pk]
    assert claim(5) == []


def test_a_test_that_nobody_reports_about_fails_in_the_end() -> None:
    row = ordered()
    claim(1)
    assert expire(utcnow()) == {}
    ConnectionTest.objects.update(updated_at=utcnow().replace(year=2020))
    assert expire(utcnow()) == {"queued": 1}
    row.refresh_from_db()
    assert (row.state, row.parts) == ("failed", None)


def test_stored_secrets_are_used_for_their_own_place_only() -> None:
    connection_set("c", conn_type="http", host="h", password="stored")
    assert parts_for("c", {"conn_type": "http", "host": "h"})["password"] == "stored"
    assert parts_for("c", {"conn_type": "http", "host": "h", "password": "***"})["password"] == "stored"
    assert parts_for("c", {"conn_type": "http", "host": "evil"})["password"] is None


def test_a_type_without_a_hook_says_so_and_a_process_of_its_own_carries_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_C", "")  # the probe sets it, in what is a process of its own elsewhere
    assert probe({"conn_id": "c", "conn_type": "nosuch"}) == (
        False, 'Unknown hook type "nosuch": no provider package for it is installed on the worker.'
    )  # fmt: skip
    status, message = at_once("c", {**PARTS, "conn_type": "nosuch"})
    assert not status
    assert message.startswith('Unknown hook type "nosuch"')


def test_the_api_refuses_unless_enabled(rest: Any) -> None:
    body = {"connection_id": "c", "conn_type": "http"}
    for path in ("test", "enqueue-test"):
        answer = rest("post", f"/api/v2/connections/{path}", body)
        assert (answer.status_code, "disabled" in answer.json()["detail"]) == (403, True)


def test_the_api_orders_a_test_and_tells_its_result_to_who_has_the_token(rest: Any, enabled: None) -> None:
    body = {"connection_id": "c", "conn_type": "http", "password": "p4ssw0rd"}
    answer = rest("post", "/api/v2/connections/enqueue-test", body)
    assert (answer.status_code, answer.json()["state"]) == (202, "pending")
    assert rest("post", "/api/v2/connections/enqueue-test", body).status_code == 409
    end(ConnectionTest.objects.get().pk, "success", "Connection works")
    asked = rest("get", "/api/v2/connections/enqueue-test", token=answer.json()["token"])
    assert asked.json().keys() == {"token", "connection_id", "state", "result_message", "created_at"}
    assert (asked.json()["state"], asked.json()["result_message"]) == ("success", "Connection works")
    assert rest("get", "/api/v2/connections/enqueue-test", token="nope").status_code == 404
    assert rest("get", "/api/v2/connections/enqueue-test").status_code == 422


def test_the_api_tests_at_once(rest: Any, enabled: None) -> None:
    answer = rest("post", "/api/v2/connections/test", {"connection_id": "c", "conn_type": "nosuch"})
    assert answer.status_code == 200
    assert answer.json()["status"] is False


def test_a_worker_gets_the_parts_and_reports_with_the_token_of_its_own_test(client: Any) -> None:
    row = ordered()
    path = f"/execution/connection-tests/{row.pk}"
    foreign = {"Authorization": f"Bearer {issue_workload_token(ConnectionTest().pk, None)}"}
    own = {"Authorization": f"Bearer {issue_workload_token(row.pk, None)}"}
    assert client.get(f"{path}/connection", headers=foreign).status_code == 403
    assert client.get(f"{path}/connection", headers=own).json()["password"] == "p4ssw0rd"
    assert client.get(f"{path}/connection", headers=own).status_code == 409

    def report(state: str) -> int:
        body = json.dumps({"state": state, "result_message": "m"})
        return int(client.patch(path, body, content_type="application/json", headers=own).status_code)

    assert [report("odd"), report("success"), report("success")] == [422, 204, 409]
    assert match("GET", f"connection-tests/{row.pk}/connection", "2026-06-30")
