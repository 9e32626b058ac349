"""Ending an attempt: PATCH task-instances/{id}/state."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orchestrator.kernel.ids import new_id
from runs.models import RunEvent, StateChange, TaskInstance, TaskInstanceHistory, TaskLease, TaskReschedule, Trigger
from tests.factories import make_dag, make_run
from tests.integration.executionapi.conftest import BEGIN, END, Worker, batch, queued_workers

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", ["success", "failed", "skipped", "removed", "upstream_failed"])
def test_a_running_attempt_can_end(running: Worker, state: str) -> None:
    response = running.state(state=state)
    assert (response.status_code, response.content) == (204, b"")
    row = running.row()
    assert (row.state, row.duration) == (state, 5.0)
    assert not TaskLease.objects.exists()
    assert list(StateChange.objects.values_list("from_state", "to_state")) == [("queued", "running"), ("running", state)]


def test_the_same_end_again_is_204_and_changes_nothing(running: Worker) -> None:
    """C01-a."""
    running.state()
    before = (TaskInstance.objects.values().get(), RunEvent.objects.count(), StateChange.objects.count())
    assert running.state().status_code == 204
    assert (TaskInstance.objects.values().get(), RunEvent.objects.count(), StateChange.objects.count()) == before


def test_a_different_end_is_409_with_the_state_found(running: Worker) -> None:
    """C01-a."""
    running.state()
    response = running.state(state="failed")
    assert response.status_code == 409
    detail = response.json()["detail"]
    assert (detail["reason"], detail["previous_state"]) == ("invalid_state", "success")
    assert set(detail) == {"reason", "message", "previous_state"}
    assert running.row().state == "success"


def test_an_attempt_that_was_not_started_cannot_end(queued: Worker) -> None:
    response = queued.state()
    assert response.status_code == 409
    assert response.json()["detail"]["previous_state"] == "queued"


def test_an_older_hand_over_cannot_end_a_later_one(running: Worker) -> None:
    """C01-c."""
    TaskInstance.objects.update(dispatch_id=new_id())
    response = running.state()
    assert response.status_code == 409
    assert response.json()["detail"]["previous_state"] == "running"
    assert running.row().state == "running"


def test_the_evidence_is_kept(running: Worker) -> None:
    evidence = {"cause": "signal", "cause_detail": "SIGSEGV", "exit_code": -11, "signal": 11, "peak_rss_kb": 5}
    assert running.state(state="failed", evidence=evidence, rendered_map_index="x").status_code == 204
    row = running.row()
    assert (row.cause, row.cause_detail, row.exit_code, row.signal, row.peak_rss_kb) == ("signal", "SIGSEGV", -11, 11, 5)
    assert row.rendered_map_index == "x"


def test_a_retry_archives_the_attempt_and_its_repeat_is_204(running: Worker) -> None:
    body = {"state": "up_for_retry", "retry_delay_seconds": 60, "retry_reason": "quota"}
    assert running.state(**body).status_code == 204
    assert TaskInstanceHistory.objects.get().pk == running.ti.pk
    after = TaskInstance.objects.values().get()
    assert (after["state"], after["id"] != running.ti.pk) == ("up_for_retry", True)
    assert running.state(**body).status_code == 204
    assert TaskInstance.objects.values().get() == after


def test_success_of_an_attempt_that_was_retried_since_is_409(running: Worker) -> None:
    running.state(state="up_for_retry")
    response = running.state()
    assert response.status_code == 409
    assert response.json()["detail"]["reason"] == "invalid_state"


def test_a_deferral_makes_a_trigger_and_its_repeat_makes_no_second(running: Worker) -> None:
    body = {
        "state": "deferred",
        "classpath": "a.B",
        "trigger_kwargs": {"x": 1},
        "trigger_timeout": "PT1M",
        "next_method": "execute_complete",
        "next_kwargs": {"y": 2},
    }
    for _ in range(2):
        assert running.send("PATCH", running.path("state"), body).status_code == 204
    assert list(Trigger.objects.values_list("classpath", "encrypted_kwargs")) == [("a.B", '{"x": 1}')]
    row = running.row()
    assert (row.state, row.next_method, row.next_kwargs) == ("deferred", "execute_complete", {"y": 2})
    assert row.trigger_timeout is not None


def test_encrypted_trigger_kwargs_are_passed_on_as_they_are(running: Worker) -> None:
    body = {"state": "deferred", "classpath": "a.B", "trigger_kwargs": "gAAA", "next_method": "m"}
    assert running.send("PATCH", running.path("state"), body).status_code == 204
    assert Trigger.objects.get().encrypted_kwargs == "gAAA"


def test_a_reschedule_is_counted_once(running: Worker) -> None:
    body = {"state": "up_for_reschedule", "reschedule_date": "2026-01-05T13:00:00Z"}
    for _ in range(2):
        assert running.state(**body).status_code == 204
    assert TaskReschedule.objects.count() == 1
    assert running.row().state == "up_for_reschedule"
    first = running.send("GET", f"task-reschedules/{running.ti.pk}/start_date")
    assert first.json() == "2026-01-05T12:00:00Z"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, ("missing", ["body", "state"])),
        ({"state": "success"}, ("missing", ["body", "success", "end_date"])),
        ({"state": "failed", "end_date": "x"}, ("datetime_from_date_parsing", ["body", "_terminal_", "end_date"])),
        ({"state": "zzz"}, ("enum", ["body", "state"])),
        ({"state": "queued"}, ("enum", ["body", "state"])),
        ({"state": "running"}, ("enum", ["body", "state"])),
        ({"state": ["success"]}, ("enum", ["body", "state"])),
        ({"state": "deferred", "classpath": "a"}, ("missing", ["body", "deferred", "next_method"])),
        (
            {"state": "deferred", "classpath": "a", "next_method": "b", "trigger_timeout": "zz"},
            ("time_delta_parsing", ["body", "deferred", "trigger_timeout"]),
        ),
        ({"state": "up_for_retry"}, ("missing", ["body", "up_for_retry", "end_date"])),
        (END | {"zz": 1}, ("extra_forbidden", ["body", "success", "zz"])),
        (END | {"evidence": {"signal": "x"}}, ("int_parsing", ["body", "evidence", "signal"])),
        ([], ("model_attributes_type", ["body"])),
    ],
)
def test_a_wrong_report_is_named_precisely(running: Worker, body: Any, error: tuple[str, list[str]]) -> None:
    response = running.send("PATCH", running.path("state"), body)
    assert response.status_code == 422
    entry = response.json()["detail"][0]
    assert (entry["type"], entry["loc"]) == error
    assert running.row().state == "running"


def test_an_unknown_attempt_is_404(db: None) -> None:
    worker = Worker(TaskInstance(pk=new_id(), dispatch_id=new_id()))
    assert worker.state().status_code == 404


def test_thirty_ends_need_as_many_queries_as_one(db: None) -> None:
    run = make_run(make_dag())
    workers = queued_workers(31, run)
    batch(*(("PATCH", w.path("run"), w.workload, BEGIN) for w in workers))
    counts = []
    for some in (workers[:1], workers[1:]):
        with CaptureQueriesContext(connection) as captured:
            responses = batch(*(("PATCH", w.path("state"), w.token, END) for w in some))
        assert {item["status"] for item in responses} == {204}
        counts.append(len(captured))
    assert counts[1] <= counts[0] <= 12  # PostgreSQL is notified once per transaction, here that of the test


def test_many_wrong_reports_in_a_batch_do_not_touch_the_good_one(db: None) -> None:
    """I4."""
    good, bad, late = queued_workers(3)
    batch(*(("PATCH", w.path("run"), w.workload, BEGIN) for w in (good, bad)))
    responses = batch(
        ("PATCH", bad.path("state"), bad.token, {"state": "success"}),
        ("PATCH", good.path("state"), good.token, END),
        ("PATCH", late.path("state"), late.token, END),
        ("PATCH", good.path("state"), bad.token, END | {"state": "failed"}),
    )
    assert [item["status"] for item in responses] == [422, 204, 409, 403]
    assert good.row().state == "success"
