"""Starting an attempt: PATCH task-instances/{id}/run."""

from __future__ import annotations

from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from orchestrator.kernel.ids import new_id
from runs.models import TaskInstance, TaskLease, TaskReschedule, XCom
from runs.workload_tokens import EXECUTION, issue_workload_token, read_token
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.executionapi.conftest import BEGIN, Worker, batch, queued_workers

pytestmark = pytest.mark.django_db


def test_a_start_returns_the_run_and_an_execution_token(queued: Worker) -> None:
    """C05-a: the workload token is swapped for an execution token of the same dispatch."""
    response = queued.run()
    assert response.status_code == 200
    assert response.json() == {
        "dag_run": {
            "dag_id": "d",
            "run_id": "r",
            "logical_date": None,
            "data_interval_start": None,
            "data_interval_end": None,
            "run_after": "2026-01-05T12:00:00Z",
            "start_date": "2026-01-05T12:00:00Z",
            "end_date": None,
            "clear_number": 0,
            "run_type": "manual",
            "state": "running",
            "conf": {},
            "triggering_user_name": None,
            "consumed_asset_events": [],
            "partition_key": None,
            "partition_date": None,
            "note": None,
            "team_name": None,
        },
        "task_reschedule_count": 0,
        "max_tries": 0,
        "variables": [],
        "connections": [],
        "xcom_keys_to_clear": [],
        "should_retry": False,
    }
    token = read_token(response.headers["Refreshed-API-Token"])
    assert (token.subject, token.scope, token.dispatch_id) == (str(queued.ti.pk), EXECUTION, queued.ti.dispatch_id)
    row = queued.row()
    assert (row.state, row.hostname, row.unixname, row.pid) == ("running", "h", "u", 7)
    assert TaskLease.objects.get().ti_id == row.pk


def test_the_same_worker_may_repeat_its_start(queued: Worker) -> None:
    first, second = queued.run(), queued.run()
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert "Refreshed-API-Token" in second.headers


def test_a_second_worker_gets_409_and_changes_nothing(queued: Worker) -> None:
    """C01-b."""
    queued.run()
    before = TaskInstance.objects.values().get()
    response = queued.run(pid=8)
    assert response.status_code == 409
    detail = response.json()["detail"]
    assert (detail["reason"], detail["previous_state"]) == ("invalid_state", "running")
    assert TaskInstance.objects.values().get() == before


def test_the_token_of_an_older_hand_over_cannot_start(queued: Worker) -> None:
    """C05-a, C02-a: the row decides, not only the expiry of the token."""
    TaskInstance.objects.update(dispatch_id=new_id())
    response = queued.run()
    assert response.status_code == 409
    assert response.json()["detail"]["reason"] == "stale_dispatch"
    assert queued.row().state == "queued"


@pytest.mark.parametrize("state", [None, "scheduled", "success", "failed", "deferred", "up_for_retry"])
def test_an_attempt_in_another_state_cannot_start(queued: Worker, state: str | None) -> None:
    TaskInstance.objects.update(state=state)
    response = queued.run()
    assert response.status_code == 409
    assert response.json()["detail"]["previous_state"] == state


def test_an_unknown_attempt_is_404(db: None) -> None:
    worker = Worker(TaskInstance(pk=new_id(), dispatch_id=new_id()))
    response = worker.run()
    assert response.status_code == 404
    assert response.json()["detail"]["reason"] == "not_found"


def test_a_resumed_attempt_is_told_where_to_go_on(db: None) -> None:
    run = make_run(make_dag())
    ti = make_ti(run, next_method="execute_complete", next_kwargs={"event": {"a": 1}}, start_date=NOON, max_tries=2)
    XCom.objects.create(dag_run=run, dag_id="d", run_id="r", task_id="t", key="k", value="1", timestamp=NOON)
    body = Worker(ti).run(start_date="2026-01-05T13:00:00Z").json()
    assert body["next_method"] == "execute_complete"
    assert body["next_kwargs"] == {"event": {"a": 1}}
    assert body["start_date"] == "2026-01-05T12:00:00Z"
    assert body["xcom_keys_to_clear"] == []
    assert body["should_retry"] is True


def test_the_xcoms_of_earlier_tries_are_named_for_clearing(db: None) -> None:
    run = make_run(make_dag())
    for task_id, index, key in [("t", -1, "a"), ("t", -1, "b"), ("t", 0, "c"), ("other", -1, "d")]:
        XCom.objects.create(
            dag_run=run, dag_id="d", run_id="r", task_id=task_id, map_index=index, key=key, value="1", timestamp=NOON
        )
    assert Worker(make_ti(run)).run().json()["xcom_keys_to_clear"] == ["a", "b"]


def test_pokes_are_counted(db: None) -> None:
    ti = make_ti(make_run(make_dag()))
    for _ in range(2):
        TaskReschedule.objects.create(
            ti_id=ti.pk, dag_run=ti.dag_run, try_number=1, start_date=NOON, end_date=NOON, reschedule_date=NOON
        )
    assert Worker(ti).run().json()["task_reschedule_count"] == 2


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"hostname": 1}, ("string_type", ["body", "hostname"])),
        ({"pid": "x"}, ("int_parsing", ["body", "pid"])),
        ({"pid": 1.5}, ("int_from_float", ["body", "pid"])),
        ({"start_date": "2026-01-05"}, ("timezone_aware", ["body", "start_date"])),
        ({"start_date": "x"}, ("datetime_from_date_parsing", ["body", "start_date"])),
        ({"zz": 1}, ("extra_forbidden", ["body", "zz"])),
        ({"state": "success"}, ("literal_error", ["body", "state"])),
    ],
)
def test_a_wrong_body_is_named_precisely(queued: Worker, change: dict[str, Any], error: tuple[str, list[str]]) -> None:
    response = queued.run(**change)
    assert response.status_code == 422
    (entry,) = response.json()["detail"]
    assert (entry["type"], entry["loc"]) == error
    assert queued.row().state == "queued"


def test_a_body_without_anything_names_every_field(queued: Worker) -> None:
    response = queued.send("PATCH", queued.path("run"), {}, queued.workload)
    assert [entry["loc"][1] for entry in response.json()["detail"]] == ["state", "hostname", "unixname", "pid", "start_date"]


def test_a_broken_or_missing_body_is_422(queued: Worker) -> None:
    for content in (..., [1], "text"):
        assert queued.send("PATCH", queued.path("run"), content, queued.workload).status_code == 422
    broken = queued.client.generic(
        "PATCH", f"/execution/{queued.path('run')}", "{bad", headers={"Authorization": f"Bearer {queued.workload}"}
    )
    assert broken.json()["detail"][0]["type"] == "json_invalid"


def test_thirty_starts_need_as_many_queries_as_one(db: None) -> None:
    run = make_run(make_dag())
    counts = [_queries_of(queued_workers_named(run, prefix, number)) for prefix, number in (("a", 1), ("b", 30))]
    assert counts[0] == counts[1]
    assert counts[0] <= 12


def queued_workers_named(run: Any, prefix: str, number: int) -> list[Worker]:
    return [Worker(make_ti(run, f"{prefix}{index}")) for index in range(number)]


def _queries_of(workers: list[Worker]) -> int:
    from django.db import connection

    with CaptureQueriesContext(connection) as captured:
        responses = batch(*(("PATCH", w.path("run"), w.workload, BEGIN) for w in workers))
    assert {item["status"] for item in responses} == {200}
    return len(captured)


def test_a_start_in_a_batch_brings_its_token_and_context(db: None) -> None:
    workers = queued_workers(3)
    responses = batch(*(("PATCH", f"/{w.path('run')}", w.workload, BEGIN) for w in workers))
    for worker, item in zip(workers, responses, strict=True):
        assert item["status"] == 200
        assert item["body"]["dag_run"]["run_id"] == "r"
        assert read_token(item["headers"]["Refreshed-API-Token"]).subject == str(worker.ti.pk)


def test_a_workload_token_outlives_its_expiry_while_its_dispatch_is_queued(queued: Worker) -> None:
    """C05-a: an attempt may wait in a queue for longer than any token lives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestrator.kernel.tokens.time.time", lambda: 1_000_000_000.0)
        queued.workload = issue_workload_token(queued.ti.pk, queued.ti.dispatch_id)
    assert read_token(queued.workload).expires_at < 1_100_000_000
    assert queued.run().status_code == 200
