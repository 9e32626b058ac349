"""Values that tasks pass on: /xcoms."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orchestrator.kernel.ids import new_id
from runs.models import TaskInstance, XCom
from tests.factories import NOON, make_run
from tests.integration.executionapi.conftest import BEGIN, Worker, batch, queued_workers

pytestmark = pytest.mark.django_db

PATH = "xcoms/d/r/t/k"


@pytest.mark.parametrize(
    "value",
    [None, True, 0, 1.5, "", "ä🙂\u0000\x1f", "\ud800", [], {"b": 1, "a": [{"z": None, "y": 2}]}, 10**30, ["x"] * 1000],
)
def test_a_value_comes_back_as_it_was_sent(running: Worker, value: Any) -> None:
    assert running.send("POST", PATH, value).json() == {"message": "XCom successfully set"}
    response = running.send("GET", PATH)
    assert response.json() == {"key": "k", "value": value}
    if isinstance(value, dict):
        assert json.dumps(response.json()["value"]) == json.dumps(value)  # the order of keys too


def test_a_value_may_be_the_result_of_its_run(running: Worker) -> None:
    for query, is_result in (("?dag_result=true", True), ("", False)):
        assert running.send("POST", PATH + query, 5).status_code == 201
        assert XCom.objects.get().is_dag_result is is_result


def test_a_value_of_one_megabyte_is_fine(running: Worker) -> None:
    value = {"text": "x" * 1_000_000}
    assert running.send("POST", PATH, value).status_code == 201
    assert running.send("GET", PATH).json()["value"] == value
    assert XCom.objects.get().size > 1_000_000


def test_a_value_over_the_limit_is_413_with_both_numbers(running: Worker, monkeypatch: Any) -> None:
    from orchestrator.config import conf

    monkeypatch.setitem(conf._values, ("workers", "xcom_max_bytes"), 100)
    response = running.send("POST", PATH, ["x" * 200])
    assert response.status_code == 413
    message = response.json()["detail"]["message"]
    assert "204 bytes" in message
    assert "[workers] xcom_max_bytes" in message
    assert not XCom.objects.exists()


def test_a_second_value_replaces_the_first(running: Worker) -> None:
    for value in (1, 2):
        running.send("POST", PATH, value)
    assert XCom.objects.get().value == "2"


@pytest.mark.parametrize(
    ("value", "query", "length"),
    [
        ([1, 2], {}, 2),
        ({"a": 1}, {}, 1),
        ("text", {}, None),
        ({"__classname__": "builtins.tuple", "__data__": [1, 2, 3]}, {}, 3),
        ({"__classname__": "a.B", "__data__": {}}, {}, None),
        ("s3://bucket/key", {"mapped_length": 7}, 7),
    ],
)
def test_the_length_for_mapping_is_kept(running: Worker, value: Any, query: Any, length: int | None) -> None:
    running.send("POST", PATH, value, query=query)
    assert XCom.objects.get().mapped_length == length


def test_too_long_a_mapping_is_400(running: Worker) -> None:
    response = running.send("POST", PATH, "x", query={"mapped_length": 100_000})
    assert response.status_code == 400
    assert response.json()["detail"]["reason"] == "unmappable_return_value_length"


def test_a_value_may_go_to_another_run_and_an_unknown_one_is_404(running: Worker) -> None:
    make_run(running.ti.dag_run.dag, "r2")
    assert running.send("POST", "xcoms/d/r2/t/k", 5).status_code == 201
    assert running.send("POST", "xcoms/d/r3/t/k", 5).status_code == 404
    assert XCom.objects.get().run_id == "r2"


def test_an_attempt_that_was_taken_away_may_not_write(running: Worker) -> None:
    """I1: whoever lost the attempt does not overwrite the values of who has it."""
    TaskInstance.objects.update(dispatch_id=new_id())
    assert running.send("POST", PATH, 1).json()["detail"]["reason"] == "stale_dispatch"
    assert running.send("DELETE", PATH).status_code == 409
    TaskInstance.objects.all().delete()
    assert running.send("POST", PATH, 1).status_code == 404
    assert not XCom.objects.exists()


def test_deleting_works_and_may_be_repeated(running: Worker) -> None:
    running.send("POST", PATH, 1)
    for _ in range(2):
        response = running.send("DELETE", PATH)
        assert (response.status_code, response.json()) == (200, {"message": "XCom with key: k successfully deleted."})
    assert running.send("GET", PATH).status_code == 404


def test_a_missing_value_is_404(running: Worker) -> None:
    for query in ({}, {"map_index": 3}, {"offset": 0}):
        response = running.send("GET", PATH, query=query)
        assert (response.status_code, response.json()["detail"]["reason"]) == (404, "not_found")


@pytest.fixture
def mapped(running: Worker) -> Worker:
    """A worker that sees the values a, b, c, d of the map indexes 0 to 3."""
    for index in (2, 0, 3, 1):
        running.send("POST", PATH, "abcd"[index], query={"map_index": index})
    return running


@pytest.mark.parametrize(("offset", "value"), [(0, "a"), (3, "d"), (-1, "d"), (-4, "a"), (4, None), (-5, None)])
def test_the_nth_value_of_a_mapped_task(mapped: Worker, offset: int, value: str | None) -> None:
    response = mapped.send("GET", f"{PATH}/item/{offset}")
    assert (response.json() if response.status_code == 200 else None) == value
    by_query = mapped.send("GET", PATH, query={"offset": offset})
    assert (by_query.json()["value"] if by_query.status_code == 200 else None) == value


@pytest.mark.parametrize(
    "part",
    [
        (None, None, None), (1, None, None), (None, 2, None), (-2, None, None), (None, -1, None), (1, 3, None),
        (None, None, -1), (3, 0, -2), (-1, -4, -1), (0, 100, 3), (-3, 3, None), (5, None, None), (2, 1, None),
    ],
)  # fmt: skip
def test_a_slice_is_a_python_slice(mapped: Worker, part: tuple[int | None, int | None, int | None]) -> None:
    query = {name: value for name, value in zip(("start", "stop", "step"), part, strict=True) if value is not None}
    assert mapped.send("GET", f"{PATH}/slice", query=query).json() == list("abcd"[slice(*part)])


def test_head_counts_all_map_indexes(mapped: Worker) -> None:
    response = mapped.send("HEAD", PATH)
    assert (response.status_code, response.headers["Content-Range"]) == (200, "map_indexes 4")
    assert mapped.send("HEAD", PATH, query={"map_index": 1}).status_code == 400
    assert mapped.send("HEAD", "xcoms/d/r/t/none").headers["Content-Range"] == "map_indexes 0"


def test_earlier_runs_are_looked_at_on_demand(running: Worker) -> None:
    dag = running.ti.dag_run.dag
    for number in (1, 2, 3):
        make_run(dag, f"old{number}", logical_date=NOON - timedelta(days=number))
        running.send("POST", f"xcoms/d/old{number}/t/k", number)
    make_run(dag, "later", logical_date=NOON + timedelta(days=1))
    running.send("POST", "xcoms/d/later/t/k", 9)
    assert running.send("GET", PATH).status_code == 404
    assert running.send("GET", PATH, query={"include_prior_dates": "true"}).json()["value"] == 1


def test_wrong_queries_are_422(running: Worker) -> None:
    for path, place in [
        (f"{PATH}?map_index=z", ["query", "map_index"]),
        (f"{PATH}?include_prior_dates=z", ["query", "include_prior_dates"]),
        (f"{PATH}/item/z", ["path", "offset"]),
        (f"{PATH}/slice?start=z", ["query", "start"]),
    ]:
        response = running.send("GET", path)
        assert (response.status_code, response.json()["detail"][0]["loc"]) == (422, place)
    assert running.send("GET", f"{PATH}/slice?step=0").status_code == 400


def test_thirty_values_need_as_many_queries_as_one(db: None) -> None:
    workers = queued_workers(31)
    batch(*(("PATCH", w.path("run"), w.workload, BEGIN) for w in workers))
    counts = []
    for some in (workers[:1], workers[1:]):
        with CaptureQueriesContext(connection) as captured:
            batch(*(("POST", f"xcoms/d/r/{w.ti.task_id}/k", w.token, 1) for w in some))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 5
    assert XCom.objects.count() == 31
