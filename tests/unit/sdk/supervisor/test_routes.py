"""Every message of a task has a call that the Execution API knows, and an answer in Airflow's words."""

from __future__ import annotations

import re

import pytest

from orchestrator.sdk.execution.answers import Answer
from orchestrator.sdk.execution.supervisor.routes import ROUTES, failure, follow_up, translate
from tests.oracle import oracle_json

WHERE = {"dag_id": "d", "run_id": "manual__2026-01-01T00:00:00+00:00", "task_id": "t", "key": "a/b"}


def known_operations():
    operations = oracle_json("execution_contract.json")["contract"]["operations"]
    return {
        (operation["method"], re.sub(r"\{[^}]*\}", "{}", operation["path"]).strip("/")): operation for operation in operations
    }


@pytest.mark.parametrize("kind", sorted(ROUTES))
def test_each_route_is_an_operation_of_the_recorded_contract(kind):
    route = ROUTES[kind]
    operation = known_operations().get((route.method, re.sub(r"\{[^}]*\}", "{}", route.path)))
    assert operation is not None
    allowed = {param["name"] for param in operation["params"] if param["in"] == "query"}
    # Airflow's own client sends try_number too; the server ignores it.
    assert set(route.query) - {"try_number"} <= allowed


def test_a_path_quotes_what_a_user_named():
    address = ROUTES["GetXCom"].address("ti", {"type": "GetXCom", **WHERE, "map_index": -1, "include_prior_dates": False})
    assert address == "xcoms/d/manual__2026-01-01T00%3A00%3A00%2B00%3A00/t/a%2Fb?map_index=-1&include_prior_dates=false"


def test_lists_are_repeated_in_the_query_and_missing_values_left_out():
    message = {"type": "GetTICount", "dag_id": "d", "task_ids": ["a", "b"], "map_index": None}
    assert ROUTES["GetTICount"].address("ti", message) == "task-instances/count?dag_id=d&task_ids=a&task_ids=b"


@pytest.mark.parametrize(
    ("message", "answer", "expected"),
    [
        ({"type": "GetXCom", **WHERE}, Answer(404, {"detail": {}}, {}), {"type": "XComResult", "key": "a/b", "value": None}),
        (
            {"type": "GetXComCount", **WHERE},
            Answer(200, None, {"content-range": "map_indexes 3"}),
            {"type": "XComCountResponse", "len": 3},
        ),
        (
            {"type": "GetVariable", "key": "k"},
            Answer(404, None, {}),
            {"type": "ErrorResponse", "error": "VARIABLE_NOT_FOUND", "detail": {"key": "k"}},
        ),
        ({"type": "GetDRCount", "dag_id": "d"}, Answer(200, 4, {}), {"type": "DRCount", "count": 4}),
        ({"type": "SetXCom", **WHERE}, Answer(201, {"message": "ok"}, {}), {"type": "OKResponse", "ok": True}),
        (
            {"type": "TriggerDagRun", "dag_id": "d", "run_id": "r"},
            Answer(409, None, {}),
            {"type": "ErrorResponse", "error": "DAGRUN_ALREADY_EXISTS", "detail": {"dag_id": "d", "run_id": "r"}},
        ),
    ],
)
def test_answers_come_back_as_the_messages_that_tasks_know(message, answer, expected):
    assert translate(message, answer) == expected


def test_a_run_that_exists_and_is_to_be_reset_is_cleared():
    message = {"type": "TriggerDagRun", "dag_id": "d", "run_id": "r", "reset_dag_run": True}
    assert translate(message, Answer(409, None, {})) is None
    assert ROUTES[follow_up(message)["type"]].address("ti", follow_up(message)) == "dag-runs/d/r/clear"


def test_a_long_error_page_is_shortened_for_the_task():
    assert len(failure(Answer(500, "x" * 100_000, {}))["detail"]["message"]) == 2000
