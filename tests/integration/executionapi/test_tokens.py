"""Who may ask what: the two tokens (C05)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executionapi.checks import check_token_outlives_lease
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from orchestrator.kernel.tokens import TokenError
from runs import transitions
from runs.models import TaskInstance, TaskLease
from runs.workload_tokens import issue_execution_token, issue_workload_token, read_token
from tests.integration.executionapi.conftest import END, Worker, batch

AUDIENCE = "urn:airflow.apache.org:task"


def token_of_age(worker: Worker, seconds: float) -> str:
    """An execution token that was issued some seconds ago."""
    issued = time.time() - seconds
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestrator.kernel.tokens.time.time", lambda: issued)
        return issue_execution_token(worker.ti.pk, worker.ti.dispatch_id)


def signed(claims: dict[str, Any], secret: str = "", algorithm: str = "HS512", **headers: Any) -> str:
    """A token made by somebody else's library."""
    times = {"iat": int(time.time()), "exp": int(time.time()) + 60, "aud": AUDIENCE}
    return jwt.encode(times | claims, secret or conf.get("api_auth", "jwt_secret"), algorithm, headers=headers or None)


@pytest.mark.django_db
def test_no_token_is_401_and_a_bad_one_403(queued: Worker) -> None:
    assert queued.send("PATCH", queued.path("run"), {}, None).json() == {"detail": "Missing auth token"}
    assert queued.send("PATCH", queued.path("run"), {}, None).status_code == 401
    for bad in ("garbage", "a.b.c", queued.workload + "x", queued.workload.rpartition(".")[0] + "."):
        response = queued.send("PATCH", queued.path("run"), {}, bad)
        assert (response.status_code, response.json()) == (403, {"detail": "Invalid auth token"})


@pytest.mark.django_db
def test_a_workload_token_is_good_for_nothing_but_run(running: Worker) -> None:
    """C05-a."""
    requests: list[tuple[str, str, Any]] = [
        ("PATCH", running.path("state"), END),
        ("PUT", running.path("heartbeat"), {"hostname": "h", "pid": 7}),
        ("GET", "variables/a", ...),
        ("POST", "xcoms/d/r/t/k", 1),
    ]
    for method, path, body in requests:
        response = running.send(method, path, body, running.workload)
        assert response.status_code == 403
        assert response.json()["detail"].startswith("Token type 'workload' not allowed")


@pytest.mark.django_db
def test_the_token_of_another_attempt_is_403(running: Worker) -> None:
    other = issue_execution_token(new_id(), running.ti.dispatch_id)
    response = running.send("PATCH", running.path("state"), END, other)
    assert (response.status_code, response.json()) == (403, {"detail": "Token subject does not match task instance ID"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "forge",
    [
        lambda sub: signed({"sub": sub, "scope": "zzz"}),
        lambda sub: signed({"sub": sub, "aud": "apache-airflow"}),
        lambda sub: signed({"sub": sub}, "another secret " * 5),
        lambda sub: signed({"sub": sub, "nbf": int(time.time()) + 3600}),
        lambda sub: jwt.encode({"sub": sub, "aud": AUDIENCE, "iat": 1, "exp": 9e9}, None, "none"),
        lambda sub: signed({"sub": sub, "dispatch_id": "no uuid"}),
        lambda sub: signed({}),
    ],
)
def test_a_forged_token_is_403(running: Worker, forge: Callable[[str], str]) -> None:
    response = running.send("PATCH", running.path("state"), END, forge(str(running.ti.pk)))
    assert response.status_code == 403
    assert running.row().state == "running"


@pytest.mark.django_db
def test_a_token_signed_by_another_library_is_read(running: Worker) -> None:
    """C05-d: a token without a key id is tried with all keys."""
    token = signed({"sub": str(running.ti.pk), "dispatch_id": str(running.ti.dispatch_id)})
    assert running.send("PATCH", running.path("state"), END, token).status_code == 204


@pytest.mark.django_db
def test_an_expired_token_counts_while_its_lease_lives(running: Worker) -> None:
    """C05-b: also 60 s of clock skew change nothing."""
    running.token = token_of_age(running, 3 * conf.get("execution_api", "jwt_expiration_time") + 60)
    heartbeat = running.heartbeat()
    assert heartbeat.status_code == 204
    assert read_token(heartbeat.headers["Refreshed-API-Token"]).expires_at > time.time()
    assert running.state().status_code == 204


@pytest.mark.django_db
def test_an_expired_token_is_403_once_the_attempt_was_taken_away(running: Worker) -> None:
    """C05-b."""
    running.token = token_of_age(running, 3600)
    transitions.mark([running.ti.pk], "failed", now=utcnow(), actor="anna")
    assert running.heartbeat().status_code == 403


@pytest.mark.django_db
def test_an_expired_token_of_an_older_hand_over_is_403(running: Worker) -> None:
    running.token = token_of_age(running, 3600)
    TaskInstance.objects.update(dispatch_id=new_id())
    TaskLease.objects.update(dispatch_id=new_id())
    assert running.state().status_code == 403


@pytest.mark.django_db
def test_an_expired_token_in_a_batch_harms_only_itself(running: Worker) -> None:
    running_token, running.token = running.token, token_of_age(running, 3600)
    TaskLease.objects.all().delete()
    responses = batch(
        ("GET", "dag-runs/d/r/state", running.token, None),
        ("GET", "dag-runs/d/r/state", running_token, None),
    )
    assert [item["status"] for item in responses] == [403, 200]


@pytest.mark.django_db
def test_a_token_is_refreshed_after_a_third_of_its_life(running: Worker) -> None:
    """C05-b."""
    life = conf.get("execution_api", "jwt_expiration_time")
    assert "Refreshed-API-Token" not in running.heartbeat().headers
    running.token = token_of_age(running, life / 3 + 2)
    refreshed = read_token(running.heartbeat().headers["Refreshed-API-Token"])
    assert (refreshed.subject, refreshed.dispatch_id) == (str(running.ti.pk), running.ti.dispatch_id)
    assert refreshed.lifetime == life


def test_reading_a_token_costs_no_query(db: None) -> None:
    """C05-e."""
    token = issue_workload_token(new_id(), new_id())
    with CaptureQueriesContext(connection) as captured:
        read_token(token)
    assert len(captured) == 0


def test_a_rotated_key_still_reads_the_tokens_of_the_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """C05-d."""
    old, new = "old secret " * 6, "new secret " * 6
    try:
        monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", old)
        conf.reload()
        token = issue_execution_token(new_id(), new_id())
        monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", f"{new},{old}")
        conf.reload()
        assert read_token(token).scope == "execution"
        monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", new)
        conf.reload()
        with pytest.raises(TokenError):
            read_token(token)
    finally:
        monkeypatch.undo()
        conf.reload()


def test_a_token_life_shorter_than_the_lease_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """C05-c: naming both settings."""
    assert check_token_outlives_lease(None) == []
    try:
        monkeypatch.setenv("AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME", "10")
        conf.reload()
        (error,) = check_token_outlives_lease(None)
    finally:
        monkeypatch.undo()
        conf.reload()
    assert "jwt_expiration_time" in error.msg
    assert "lease_seconds" in error.msg
