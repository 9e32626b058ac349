"""Many requests at once: POST batch."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from executionapi.batch import MOST_REQUESTS
from runs.models import RenderedFields, TaskInstance, XCom
from tests.integration.executionapi.conftest import BEGIN, END, Worker, batch, queued_workers

pytestmark = pytest.mark.django_db


def test_the_whole_life_of_an_attempt_in_one_batch_in_any_order(queued: Worker) -> None:
    """Starts come first, finishes last, whatever the order of the requests."""
    responses = batch(
        ("PATCH", queued.path("state"), queued.token, END),
        ("PUT", queued.path("heartbeat"), queued.token, {"hostname": "h", "pid": 7}),
        ("POST", "xcoms/d/r/t/return_value", queued.token, {"b": 1, "a": 2}),
        ("PUT", queued.path("rtif"), queued.token, {"x": "y"}),
        ("PATCH", queued.path("run"), queued.workload, BEGIN),
    )
    assert [item["status"] for item in responses] == [204, 204, 201, 201, 200]
    assert queued.row().state == "success"
    assert XCom.objects.get().value == '{"b": 1, "a": 2}'
    assert RenderedFields.objects.get().fields == '{"x": "y"}'
    assert responses[0]["body"] is None


def test_requests_of_one_attempt_keep_their_order(running: Worker) -> None:
    path = "xcoms/d/r/t/k"
    responses = batch(
        ("POST", path, running.token, 1),
        ("GET", path, running.token, None),
        ("POST", path, running.token, 2),
        ("POST", path, running.token, 3),
        ("GET", path, running.token, None),
        ("DELETE", path, running.token, None),
        ("GET", path, running.token, None),
    )
    assert [item["status"] for item in responses] == [201, 200, 201, 201, 200, 200, 404]
    assert [responses[1]["body"]["value"], responses[4]["body"]["value"]] == [1, 3]


def test_of_two_conflicting_ends_the_first_counts(running: Worker) -> None:
    """C01-a, also inside one batch."""
    responses = batch(
        ("PATCH", running.path("state"), running.token, END | {"state": "failed"}),
        ("PATCH", running.path("state"), running.token, END),
        ("PATCH", running.path("state"), running.token, END | {"state": "failed"}),
    )
    assert [item["status"] for item in responses] == [204, 409, 204]
    assert running.row().state == "failed"


def test_of_two_workers_in_one_batch_only_one_starts(queued: Worker) -> None:
    """C01-b."""
    responses = batch(
        ("PATCH", queued.path("run"), queued.workload, BEGIN),
        ("PATCH", queued.path("run"), queued.workload, BEGIN | {"pid": 8}),
        ("PATCH", queued.path("run"), queued.workload, BEGIN),
    )
    assert [item["status"] for item in responses] == [200, 409, 200]
    assert queued.row().pid == 7


def test_each_broken_request_gets_its_own_error(running: Worker) -> None:
    """I4."""
    responses = batch(
        ("GET", "nothing/here", running.token, None),
        ("POST", "health", None, None),
        ("GET", "variables/keys?limit=0", running.token, None),
        ("GET", "dag-runs/d/r/state", None, None),
        ("GET", "health", None, None),
    )
    assert [item["status"] for item in responses] == [404, 405, 422, 401, 200]
    assert responses[1]["headers"] == {"Allow": "GET"}


def test_a_value_that_the_database_refuses_harms_only_itself(db: None) -> None:
    """I4: the bulk fails as a whole, so it is taken apart."""
    good, bad = queued_workers(2)
    responses = batch(
        ("PATCH", bad.path("run"), bad.workload, BEGIN | {"hostname": "h\x00"}),
        ("PATCH", good.path("run"), good.workload, BEGIN),
    )
    assert responses[1]["status"] == 200
    # SQLite takes the character, PostgreSQL does not.
    assert responses[0]["status"] in (200, 422)


def test_an_operation_that_raises_harms_only_itself(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """I4."""
    from runs import transitions

    good, bad = queued_workers(2)
    start = transitions.start

    def start_or_raise(starts: Any, **more: Any) -> Any:
        if any(item.ti_id == bad.ti.pk for item in starts):
            raise RuntimeError("a bug")
        return start(starts, **more)

    monkeypatch.setattr(transitions, "start", start_or_raise)
    responses = batch(*(("PATCH", w.path("run"), w.workload, BEGIN) for w in (bad, good)))
    assert [item["status"] for item in responses] == [500, 200]
    assert TaskInstance.objects.get(pk=bad.ti.pk).state == "queued"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ([], 422),
        ({"requests": 1}, 422),
        ({"requests": []}, 200),
        ({"requests": [1, {"id": 1}, {"id": 2, "method": "GET", "path": 5}]}, 200),
        ({"requests": [{}] * (MOST_REQUESTS + 1)}, 413),
    ],
)
def test_a_batch_fails_as_a_whole_only_where_it_is_no_batch(body: Any, status: int) -> None:
    response = Client().post("/execution/batch", body, "application/json")
    assert response.status_code == status
    if status == 200:
        assert [item["status"] for item in response.json()["responses"]] == [422] * len(body["requests"])


def test_a_batch_must_be_posted() -> None:
    response = Client().get("/execution/batch")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


def test_query_and_quoted_path_work_inside_a_batch(running: Worker) -> None:
    batch(("POST", "xcoms/d/r/t/a%2Fb%20c?map_index=4&mapped_length=2", running.token, [1, 2]))
    row = XCom.objects.get()
    assert (row.key, row.map_index, row.mapped_length) == ("a/b c", 4, 2)
