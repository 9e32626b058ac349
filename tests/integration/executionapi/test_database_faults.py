"""The database away, busy or deadlocked (C12-d, C04-c)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection

from executionapi import units
from runs import transitions
from runs.models import TaskInstance
from tests.factories import make_dag, make_run, make_ti
from tests.integration.executionapi.conftest import BEGIN, END, Worker, batch


class Failing:
    """Stands for a function: raises a number of times, then does its work."""

    def __init__(self, work: Any, times: int, error: Exception) -> None:
        self.work, self.left, self.error = work, times, error
        self.calls = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if self.left > 0:
            self.left -= 1
            raise self.error
        return self.work(*args, **kwargs)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again without waiting."""
    monkeypatch.setattr(units, "delay", lambda *args, **kwargs: 0.0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "error", [OperationalError("deadlock detected"), OperationalError("database is locked"), InterfaceError("connection closed")]
)
def test_a_refused_unit_of_work_is_done_again(monkeypatch: Any, at_once: None, error: Exception) -> None:
    worker = Worker(make_ti(make_run(make_dag())))
    failing = Failing(transitions.start, 2, error)
    monkeypatch.setattr(transitions, "start", failing)
    assert worker.run().status_code == 200
    assert failing.calls == 3


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_after_the_write_leaves_nothing_half_done(monkeypatch: Any, at_once: None) -> None:
    worker = Worker(make_ti(make_run(make_dag())))
    assert worker.run().status_code == 200
    finish, calls = transitions.finish, []

    def finish_then_fail_once(*args: Any, **kwargs: Any) -> Any:
        answers = finish(*args, **kwargs)
        calls.append(answers)
        if len(calls) == 1:
            raise OperationalError("deadlock detected")
        return answers

    monkeypatch.setattr(transitions, "finish", finish_then_fail_once)
    assert worker.state().status_code == 204
    assert [answer.won for answers in calls for answer in answers.values()] == [True, True]
    assert worker.row().state == "success"


@pytest.mark.django_db(transaction=True)
def test_a_database_that_stays_away_is_503_and_the_connection_is_dropped(monkeypatch: Any, at_once: None) -> None:
    worker = Worker(make_ti(make_run(make_dag())))
    monkeypatch.setattr(transitions, "start", Failing(None, 99, OperationalError("server closed the connection")))
    response = worker.run()
    assert response.status_code == 503
    assert response.json()["detail"]["reason"] == "database_unavailable"
    assert connection.connection is None
    assert TaskInstance.objects.get().state == "queued"


@pytest.mark.django_db(transaction=True)
def test_in_a_batch_only_the_operation_that_failed_is_503(monkeypatch: Any, at_once: None) -> None:
    run = make_run(make_dag())
    first, second = Worker(make_ti(run, "a")), Worker(make_ti(run, "b"))
    assert first.run().status_code == 200
    monkeypatch.setattr(transitions, "start", Failing(None, 99, OperationalError("away")))
    responses = batch(("PATCH", second.path("run"), second.workload, BEGIN), ("PATCH", first.path("state"), first.token, END))
    assert [item["status"] for item in responses] == [503, 204]


@pytest.mark.django_db(transaction=True)
def test_the_check_of_an_expired_token_meets_a_missing_database_too(monkeypatch: Any, at_once: None) -> None:
    worker = Worker(make_ti(make_run(make_dag())))
    monkeypatch.setattr("executionapi.dispatch.outlived", Failing(None, 99, OperationalError("away")))
    assert worker.heartbeat().status_code == 503
