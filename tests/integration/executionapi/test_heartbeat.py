"""Signs of life: PUT task-instances/{id}/heartbeat."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from runs import transitions
from runs.models import TaskInstance, TaskLease
from tests.integration.executionapi.conftest import BEGIN, Worker, batch, queued_workers

pytestmark = pytest.mark.django_db


def test_a_heartbeat_renews_the_lease_and_leaves_the_attempt_alone(running: Worker) -> None:
    """C12-c."""
    TaskLease.objects.update(expires_at=utcnow() - timedelta(seconds=1))
    before = TaskInstance.objects.values().get()
    response = running.heartbeat()
    assert (response.status_code, response.content) == (204, b"")
    assert TaskLease.objects.get().expires_at > utcnow()
    assert TaskInstance.objects.values().get() == before


def test_an_ended_attempt_is_told_to_stop(running: Worker) -> None:
    transitions.mark([running.ti.pk], "success", now=utcnow(), actor="anna")
    response = running.heartbeat()
    assert response.status_code == 409
    detail = response.json()["detail"]
    assert (detail["reason"], detail["current_state"], detail["cause"]) == ("not_running", "success", "marked")
    assert detail["cause_detail"] == "anna"


def test_an_attempt_that_runs_elsewhere_says_where(running: Worker) -> None:
    TaskInstance.objects.update(dispatch_id=new_id(), hostname="other", pid=9)
    TaskLease.objects.update(dispatch_id=new_id())
    detail = running.heartbeat().json()["detail"]
    assert (detail["reason"], detail["current_hostname"], detail["current_pid"]) == ("running_elsewhere", "other", 9)


def test_a_cleared_attempt_is_gone_and_says_by_whom(running: Worker) -> None:
    """C03-e."""
    running.state(state="up_for_retry")
    response = running.heartbeat()
    assert response.status_code == 410
    assert response.json()["detail"]["reason"] == "not_found"


def test_an_unknown_attempt_is_404(db: None) -> None:
    assert Worker(TaskInstance(pk=new_id(), dispatch_id=new_id())).heartbeat().status_code == 404


def test_a_wrong_heartbeat_is_422(running: Worker) -> None:
    response = running.send("PUT", running.path("heartbeat"), {"pid": 1.5})
    assert [entry["type"] for entry in response.json()["detail"]] == ["missing", "int_from_float"]


def test_thirty_heartbeats_need_as_many_queries_as_one(db: None) -> None:
    workers = queued_workers(31)
    batch(*(("PATCH", w.path("run"), w.workload, BEGIN) for w in workers))
    counts = []
    for some in (workers[:1], workers[1:]):
        with CaptureQueriesContext(connection) as captured:
            batch(*(("PUT", w.path("heartbeat"), w.token, {"hostname": "h", "pid": 7}) for w in some))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 5
