"""A test of a connection from its order to its result: the API, the scheduler's duty, a worker with a provider package (C29)."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditLog, User
from orchestrator.config import conf
from runs.connection_tests.duty import LOOK_SECONDS, RunConnectionTests
from tests.provider_package import make_provider
from tests.waiting import wait_until
from vault.models import ConnectionTest
from vault.services import connection_set

pytestmark = pytest.mark.django_db(transaction=True)

SECRETS = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": "echo secret-1",
    "AIRFLOW__API__SECRET_KEY": "secret-2",
    "AIRFLOW__CELERY__BROKER_URL": "redis://:secret-3@nowhere/0",
    "AIRFLOW__SMTP__SMTP_PASSWORD": "secret-4",
    "DATABASE_URL": "postgresql://u:secret-5@nowhere/x",
}
Ask = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def ask(live_server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Ask]:
    """Order a test with a hook that is installed for workers, have it carried out, and return the result."""
    monkeypatch.setenv("AIRFLOW__CORE__TEST_CONNECTION", "Enabled")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", f"{live_server.url}/execution/")
    monkeypatch.setenv("PYTHONPATH", str(make_provider(tmp_path)))
    conf.reload()
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)  # after the reload: this process keeps its database
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    path, duty = "/api/v2/connections/enqueue-test", RunConnectionTests()

    def result(body: dict[str, Any]) -> dict[str, Any]:
        made = client.post(path, body | {"connection_id": "c", "conn_type": "acme"}, content_type="application/json").json()

        def ended() -> dict[str, Any] | None:
            duty.run_once(5)
            found = client.get(path, headers={"Airflow-Connection-Test-Token": made["token"]}).json()
            return found if found["state"] in ("success", "failed") else None

        found = wait_until(ended, 60, what="the result of the test")
        wait_until(lambda: duty.run_once(5).next_in == LOOK_SECONDS, 60, what="the end of the worker")
        return found

    yield result
    monkeypatch.undo()
    conf.reload()


def test_a_worker_without_the_platforms_secrets_tests_a_connection(ask: Ask, tmp_path: Path) -> None:
    witness = tmp_path / "witness.json"
    connection_set("c", conn_type="acme", host="up", password="p4ssw0rd", extra=json.dumps({"witness": str(witness)}))
    answer = ask({"host": "up", "login": "key-1"})
    assert (answer["state"], answer["result_message"]) == ("success", "signed in to up as key-1")
    seen = json.loads(witness.read_text())
    assert (seen["password"], seen["type"]) == ("p4ssw0rd", "acme")
    environment = seen["environment"]
    assert not set(SECRETS) & set(environment)
    assert not [text for text in environment.values() if "secret-" in text]
    assert conf.get("api_auth", "jwt_secret") not in str(environment)
    assert ConnectionTest.objects.get().parts is None


def test_a_failure_tells_its_reason_without_the_password(ask: Ask, tmp_path: Path) -> None:
    body = {"host": "down", "login": "key-1", "password": "p4ssw0rd", "extra": json.dumps({"witness": str(tmp_path / "w")})}
    answer = ask(body)
    assert (answer["state"], answer["result_message"]) == ("failed", "down refuses key-1 with ***")
    row = AuditLog.objects.get(event="connection_test")
    assert json.loads(row.extra or "") == {"connection_id": "c", "result": "failed"}
    assert "p4ssw0rd" not in str(list(AuditLog.objects.values())) + str(list(ConnectionTest.objects.values()))
