"""Asking people through the Execution API: hitlDetails/{id} and the state awaiting_input."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runs.models import HITLDetail, StateChange, TaskLease
from tests.integration.executionapi.conftest import Worker

pytestmark = pytest.mark.django_db

PERSON = {"id": "ann", "name": "Ann"}


def question(worker: Worker, **more: Any) -> dict[str, Any]:
    return {"ti_id": str(worker.ti.pk), "options": ["a", "b"], "subject": "Which?", **more}


def ask(worker: Worker, **more: Any) -> Any:
    return worker.send("POST", f"hitlDetails/{worker.ti.pk}", question(worker, **more))


def give(worker: Worker, *chosen: str) -> Any:
    body = {"ti_id": str(worker.ti.pk), "chosen_options": list(chosen), "params_input": {"n": 1}}
    return worker.send("PATCH", f"hitlDetails/{worker.ti.pk}", body)


def wait(worker: Worker, version: str = "", **more: Any) -> Any:
    body = {"state": "awaiting_input", "next_method": "execute_complete", **more}
    return worker.send("PATCH", worker.path("state"), body, version=version)


def test_a_question_is_kept_and_told_again(running: Worker) -> None:
    response = ask(running, assigned_users=[PERSON], defaults=["a"])
    assert response.status_code == 201
    told = {"body": None, "defaults": ["a"], "multiple": False, "params": {}, "assigned_users": [PERSON]}
    assert response.json() == question(running) | told
    row = HITLDetail.objects.get()
    assert (row.ti_id, row.task_id, row.options, row.assignees) == (running.ti.pk, "t", ["a", "b"], [PERSON])


def test_a_question_without_options_is_422(running: Worker) -> None:
    assert ask(running, options=[]).status_code == 422
    assert not HITLDetail.objects.exists()


def test_asking_again_takes_the_answer_away(running: Worker) -> None:
    ask(running)
    assert give(running, "a").status_code == 200
    assert ask(running).status_code == 201
    row = HITLDetail.objects.get()
    assert (row.responded_at, row.chosen_options, row.params_input) == (None, None, {})


def test_the_answer_is_read_before_and_after(running: Worker) -> None:
    path = f"hitlDetails/{running.ti.pk}"
    assert running.send("GET", path).status_code == 404
    ask(running)
    nothing = {"responded_by_user": None, "responded_at": None, "chosen_options": [], "params_input": {}}
    assert running.send("GET", path).json() == {"response_received": False, **nothing}
    give(running, "b")
    body = running.send("GET", path).json()
    assert (body["response_received"], body["chosen_options"], body["params_input"]) == (True, ["b"], {"n": 1})
    assert give(running, "a").status_code == 409


def test_only_the_attempt_itself_may_ask(running: Worker, queued: Worker) -> None:
    response = running.send("POST", f"hitlDetails/{queued.ti.pk}", question(queued))
    assert response.status_code == 403 or queued.ti.pk == running.ti.pk


def test_a_running_attempt_waits_for_input_and_gives_its_worker_back(running: Worker) -> None:
    ask(running)
    response = wait(running, timeout="PT10S", rendered_map_index="the third")
    assert response.status_code == 204
    row = running.row()
    assert (row.state, row.next_method, row.wait_reason) == ("awaiting_input", "execute_complete", "input")
    assert (row.trigger_id, row.rendered_map_index) == (None, "the third")
    assert row.trigger_timeout is not None
    assert HITLDetail.objects.get().expires_at == row.trigger_timeout
    assert row.trigger_timeout - HITLDetail.objects.get().created_at < timedelta(seconds=30)
    assert not TaskLease.objects.exists()
    assert wait(running).status_code == 204
    assert StateChange.objects.filter(to_state="awaiting_input").count() == 1


def test_an_attempt_that_does_not_run_cannot_wait(queued: Worker) -> None:
    assert wait(queued).status_code == 409
    assert queued.row().state == "queued"


def test_versions_before_it_do_not_know_the_state(running: Worker) -> None:
    assert wait(running, version="2026-04-06").status_code == 422
    assert running.row().state == "running"
