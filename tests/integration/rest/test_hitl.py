"""Questions to people through the REST API: the list, the answer, and what the task is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog, User
from accounts.tokens import token_for
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.values import decode
from runs import transitions
from runs.hitl.services import question_ask, question_expire
from runs.models import DagRun, HITLDetail, RunEvent, TaskInstance
from runs.reports import InputWait
from runs.scheduler.expire_inputs import ExpireInputs
from tests.factories import make_dag, make_run, make_ti

pytestmark = pytest.mark.django_db

QUESTION = {"options": ["a", "b"], "subject": "Which one?", "body": None, "defaults": None, "multiple": False, "params": {}}


@pytest.fixture
def run() -> DagRun:
    return make_run(make_dag())


def ask(run: DagRun, task_id: str = "t", *, timeout: timedelta | None = None, map_index: int = -1, **more: Any) -> TaskInstance:
    """An attempt that has asked and waits."""
    ti = make_ti(run, task_id, state="running", map_index=map_index)
    now = utcnow()
    question_ask(ti, QUESTION | more, now=now)
    wait = InputWait(ti.pk, ti.dispatch_id, "execute_complete", {}, now + timeout if timeout else None)
    with transaction.atomic():
        assert transitions.await_input([wait], now=now)[ti.pk].won
    return ti


def answer(client: Client, ti: TaskInstance, *chosen: str, **params_input: Any) -> Any:
    path = f"/api/v2/dags/d/dagRuns/r/taskInstances/{ti.task_id}/{ti.map_index}/hitlDetails"
    body = {"chosen_options": list(chosen), "params_input": params_input}
    return client.patch(path, body, "application/json")


def test_an_answer_lets_the_task_go_on_with_it(client: Client, run: DagRun, fits_schema: Callable[..., None]) -> None:
    ti = ask(run)
    assert TaskInstance.objects.get().state == "awaiting_input"
    response = answer(client, ti, "b", why="because")
    assert response.status_code == 200
    fits_schema("HITLDetailResponse", response.json())
    row = TaskInstance.objects.get()
    assert (row.state, row.try_number, row.next_method, row.dispatch_id) == ("scheduled", 1, "execute_complete", None)
    event = decode(row.next_kwargs)["event"]
    assert (event["chosen_options"], event["params_input"], event["timedout"]) == (["b"], {"why": "because"}, False)
    assert event["responded_by_user"] == {"id": "admin", "name": "admin"}
    assert event["responded_at"] == HITLDetail.objects.get().responded_at
    assert [e.state for e in RunEvent.objects.order_by("pk")] == ["awaiting_input", "scheduled"]
    assert AuditLog.objects.filter(event="update_hitl_detail", owner="admin", task_id="t").count() == 1


def test_a_second_answer_is_409_and_changes_nothing(client: Client, run: DagRun) -> None:
    ti = ask(run)
    answer(client, ti, "a")
    response = answer(client, ti, "b")
    assert response.status_code == 409
    assert "has already been updated" in response.json()["detail"]
    assert HITLDetail.objects.get().chosen_options == ["a"]
    assert RunEvent.objects.filter(state="scheduled").count() == 1


@pytest.mark.parametrize(
    ("chosen", "status", "detail"),
    [
        (["nope"], 400, "Invalid options ['nope']; allowed options are ['a', 'b']."),
        (["a", "b"], 400, "Multiple options chosen but this Human-in-the-loop task accepts only a single option."),
    ],
)
def test_an_answer_that_the_question_does_not_allow_is_400(
    client: Client, run: DagRun, chosen: list[str], status: int, detail: str
) -> None:
    response = answer(client, ask(run), *chosen)
    assert (response.status_code, response.json()["detail"]) == (status, detail)
    assert TaskInstance.objects.get().state == "awaiting_input"


def test_an_answer_without_a_choice_is_422(client: Client, run: DagRun) -> None:
    response = answer(client, ask(run))
    assert response.status_code == 422
    (problem,) = response.json()["detail"]
    context = {"field_type": "List", "min_length": 1, "actual_length": 0}
    assert (problem["type"], problem["loc"], problem["ctx"]) == ("too_short", ["body", "chosen_options"], context)


def test_several_options_may_be_chosen_where_the_question_says_so(client: Client, run: DagRun) -> None:
    assert answer(client, ask(run, multiple=True), "a", "b").json()["chosen_options"] == ["a", "b"]


def test_a_question_for_others_is_403(client: Client, run: DagRun) -> None:
    ti = ask(run, assignees=[{"id": "ann", "name": "Ann"}])
    response = answer(client, ti, "a")
    assert response.status_code == 403
    assert response.json()["detail"] == "User=admin (id=admin) is not a respondent for the task."
    ann = User.objects.create_superuser("ann", password="a-long-password")
    assert answer(Client(headers={"Authorization": f"Bearer {token_for(ann, lifetime_seconds=60)}"}), ti, "a").status_code == 200


@pytest.mark.usefixtures("open_access")
def test_open_access_may_answer_a_question_for_others(run: DagRun) -> None:
    response = answer(Client(), ask(run, assignees=[{"id": "ann", "name": "Ann"}]), "a")
    assert (response.status_code, response.json()["responded_by"]) == (200, {"id": "Anonymous", "name": "Anonymous"})


def test_an_answer_before_the_worker_let_go_is_not_lost(client: Client, run: DagRun) -> None:
    ti = make_ti(run, state="running")
    question_ask(ti, QUESTION, now=utcnow())
    assert answer(client, ti, "a").status_code == 200
    assert TaskInstance.objects.get().state == "running"
    with transaction.atomic():
        wait = InputWait(ti.pk, ti.dispatch_id, "execute_complete", {"kept": 1}, None)
        assert transitions.await_input([wait], now=utcnow())[ti.pk].won
    row = TaskInstance.objects.get()
    assert row.state == "scheduled"
    assert (row.next_kwargs["kept"], row.next_kwargs["event"]["chosen_options"]) == (1, ["a"])


def test_after_the_time_the_defaults_are_the_answer(run: DagRun) -> None:
    form = {"n": {"value": 3, "description": None, "schema": {"type": "integer"}}, "m": 4}
    ask(run, defaults=["b"], params=form, timeout=timedelta(seconds=-1))
    result = ExpireInputs().run_once(10)
    assert result.done == 1
    row, question = TaskInstance.objects.get(), HITLDetail.objects.get()
    event = decode(row.next_kwargs)["event"]
    assert (row.state, event["timedout"], event["chosen_options"]) == ("scheduled", True, ["b"])
    assert event["params_input"] == {"n": 3, "m": 4}
    assert (question.chosen_options, question.responded_by, question.responded_at is None) == (["b"], None, False)


def test_after_the_time_a_question_without_defaults_lets_the_task_fail_by_itself(run: DagRun) -> None:
    ask(run, timeout=timedelta(seconds=-1))
    ExpireInputs().run_once(10)
    row = TaskInstance.objects.get()
    assert (row.state, row.next_kwargs["event"]["error_type"]) == ("scheduled", "timeout")
    assert ExpireInputs().run_once(10).done == 0


def test_one_question_that_cannot_expire_hinders_no_other(run: DagRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """I4."""
    bad = ask(run, "bad", defaults=["a"], timeout=timedelta(seconds=-2))
    ask(run, "good", defaults=["a"], timeout=timedelta(seconds=-1))

    def expire(ti_id: Any, *, now: Any) -> bool:
        if ti_id == bad.pk:
            raise ValueError("broken")
        return question_expire(ti_id, now=now)

    monkeypatch.setattr("runs.hitl.services.question_expire", expire)
    assert ExpireInputs().run_once(10).done == 1
    states = dict(TaskInstance.objects.values_list("task_id", "state"))
    assert states == {"bad": "awaiting_input", "good": "scheduled"}


def test_the_next_look_is_when_the_next_question_expires(run: DagRun) -> None:
    ask(run, timeout=timedelta(seconds=14))  # a second less than it looks at the latest
    result = ExpireInputs().run_once(10)
    assert result.done == 0
    assert result.next_in is not None
    assert 0 < result.next_in <= 14
    assert TaskInstance.objects.get().state == "awaiting_input"


def test_a_cleared_question_never_expires_and_is_not_listed(client: Client, run: DagRun) -> None:
    ti = ask(run, defaults=["a"], timeout=timedelta(seconds=-1))
    with transaction.atomic():
        transitions.clear([ti.pk], now=utcnow(), actor="ann")
    assert ExpireInputs().run_once(10).done == 1
    assert ExpireInputs().run_once(10).done == 0
    assert TaskInstance.objects.get().state is None
    assert client.get("/api/v2/dags/~/dagRuns/~/hitlDetails").json()["total_entries"] == 0
    with transaction.atomic():
        assert not question_expire(ti.pk, now=utcnow())


def test_one_question_is_read_with_its_task_instance(client: Client, run: DagRun, fits_schema: Callable[..., None]) -> None:
    ask(run, params={"n": 1}, assignees=[{"id": "ann", "name": "Ann"}])
    body = client.get("/api/v2/dags/d/dagRuns/r/taskInstances/t/-1/hitlDetails").json()
    fits_schema("HITLDetail", body)
    fits_schema("TaskInstanceResponse", body["task_instance"])
    assert body["params"] == {"n": {"value": 1, "description": None, "schema": {}}}
    assert (body["assigned_users"], body["response_received"]) == ([{"id": "ann", "name": "Ann"}], False)


def test_the_question_of_an_earlier_try_stays(client: Client, run: DagRun, fits_schema: Callable[..., None]) -> None:
    ti = ask(run)
    with transaction.atomic():
        transitions.clear([ti.pk], now=utcnow(), actor="ann")
    path = "/api/v2/dags/d/dagRuns/r/taskInstances/t/-1/hitlDetails"
    assert client.get(path).status_code == 404
    body = client.get(f"{path}/tries/1").json()
    fits_schema("HITLDetailHistory", body)
    assert body["task_instance"]["try_number"] == 1


@pytest.mark.parametrize("path", ["taskInstances/nope/-1/hitlDetails", "taskInstances/t/-1/hitlDetails"])
def test_what_is_not_there_is_404(client: Client, run: DagRun, path: str) -> None:
    make_ti(run)
    assert client.get(f"/api/v2/dags/d/dagRuns/r/{path}").status_code == 404
    body = {"chosen_options": ["a"]}
    assert client.patch(f"/api/v2/dags/d/dagRuns/r/{path}", body, "application/json").status_code == 404


@pytest.fixture
def three(run: DagRun, client: Client) -> None:
    ask(run, "t1", subject="first", body="Text")
    ask(run, "t2", map_index=2, subject="second")
    answer(client, ask(run, "t3", subject="third"), "a")


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("query", "tasks"),
    [
        ("order_by=subject", ["t1", "t2", "t3"]),
        ("order_by=-created_at", ["t3", "t2", "t1"]),
        ("task_id=t2", ["t2"]),
        ("task_id_pattern=T3", ["t3"]),
        ("task_id_prefix_pattern=t1|t3", ["t1", "t3"]),
        ("dag_id_pattern=nope", []),
        ("map_index=2", ["t2"]),
        ("state=scheduled", ["t3"]),
        ("state=awaiting_input&order_by=-task_instance_state", ["t1", "t2"]),
        ("response_received=true", ["t3"]),
        ("response_received=false", ["t1", "t2"]),
        ("responded_by_user_id=admin", ["t3"]),
        ("responded_by_user_name=nobody", []),
        ("subject_search=ir", ["t1", "t3"]),
        ("body_search=ex", ["t1"]),
        ("created_at_lt=2026-01-01T00:00:00Z", []),
        ("limit=1&offset=1&order_by=subject", ["t2"]),
    ],
)
def test_the_list_is_filtered_and_ordered(client: Client, query: str, tasks: list[str]) -> None:
    body = client.get(f"/api/v2/dags/d/dagRuns/r/hitlDetails?{query}").json()
    found = [item["task_instance"]["task_id"] for item in body["hitl_details"]]
    assert (found if "order_by=" in query and "state=" not in query else sorted(found)) == tasks


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "name",
    [
        "ti_id",
        "subject",
        "responded_at",
        "created_at",
        "responded_by_user_id",
        "responded_by_user_name",
        "dag_id",
        "run_id",
        "task_display_name",
        "run_after",
        "rendered_map_index",
        "task_instance_operator",
        "task_instance_state",
    ],
)
def test_every_order_of_the_contract_works(client: Client, name: str) -> None:
    for sign in ("", "-"):
        body = client.get(f"/api/v2/dags/~/dagRuns/~/hitlDetails?order_by={sign}{name}").json()
        assert len(body["hitl_details"]) == body["total_entries"] == 3


def test_a_list_costs_the_same_number_of_queries_whatever_it_holds(client: Client, run: DagRun) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/api/v2/dags/d/dagRuns/r/hitlDetails")
        return len(queries)

    ask(run, "t1")
    one = cost()
    for number in range(5):
        ask(run, f"more{number}")
    assert cost() == one
