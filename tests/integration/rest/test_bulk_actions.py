"""The REST operations on bulk actions: count, order, progress, cancel, failures; and the stop of a run (C13, C21-b)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import AuditLog, DagRule, User
from accounts.roles import Role
from orchestrator.config import conf
from runs.models import BulkAction, DagRun, TaskInstance
from runs.scheduler.carry_out_bulk_actions import CarryOutBulkActions
from tests.factories import make_dag, make_run, make_ti
from tests.integration.accounts.world import client_of, person
from tests.integration.ui.signed_in import client_of as signed_in
from tests.specs import dag

pytestmark = pytest.mark.django_db

PATH = "/api/v2/bulkActions"


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    text = "" if body is None else json.dumps(body)
    return client.post(path, text, content_type="application/json", headers=headers)


@pytest.fixture
def run(db: None) -> DagRun:
    run = make_run(make_dag("d", dag("a >> b >> c")), state="failed")
    for task_id, state in (("a", "success"), ("b", "failed"), ("c", "upstream_failed")):
        make_ti(run, task_id, state=state, try_number=int(state != "upstream_failed"))
    return run


def order(**asked: Any) -> dict[str, Any]:
    return {"target": "task_instances", "kind": "clear", "filters": {"dag_id": "d", "state": ["failed"]}, **asked}


def carry_out(steps: int = 10) -> None:
    duty = CarryOutBulkActions()
    for _ in range(steps):
        duty._look_at = 0.0
        duty.run_once(100)


def test_c13a_an_order_is_counted_by_default_and_changes_nothing(client: Client, run: DagRun) -> None:
    answer = post(client, PATH, order(filters={"dag_id": "d", "state": ["failed", "upstream_failed"]}))
    assert answer.status_code == 200
    assert answer.json() == {"dry_run": True, "total_entries": 2, "by_state": {"failed": 1, "upstream_failed": 1}, "dag_runs": 1}
    assert not BulkAction.objects.exists()
    assert not AuditLog.objects.exists()


def test_c13b_an_order_is_accepted_and_says_how_far_it_is(client: Client, run: DagRun) -> None:
    headers = {"X-Request-ID": "ticket-7"}
    answer = post(client, PATH, order(dry_run=False, reason="bad input"), **headers)
    assert answer.status_code == 202
    body = answer.json()
    wanted = {"state": "queued", "progress": 0.0, "total": 0, "is_counted": False, "actor": "admin", "items": "task_instances"}
    assert {name: body[name] for name in wanted} == wanted
    ordered = AuditLog.objects.get(event="create_bulk_action")
    assert (ordered.owner, ordered.dag_id, ordered.reason, ordered.request_id) == ("admin", "d", "bad input", "ticket-7")
    carry_out()
    body = client.get(f"{PATH}/{body['id']}").json()
    wanted = {"state": "done", "progress": 1.0, "total": 1, "done": 1, "changed": 1, "unchanged": 0, "failed": 0, "error": ""}
    assert {name: body[name] for name in wanted} == wanted
    assert None not in (body["started_at"], body["ended_at"])
    row = AuditLog.objects.get(event="post_clear_task_instances")
    assert (row.owner, row.run_id, row.task_id, row.reason, row.request_id) == ("admin", "r", "b", "bad input", "ticket-7")
    assert json.loads(row.extra or "")["bulk_action"] == body["id"]


def test_items_are_named_and_unknown_ones_are_refused_together(client: Client, run: DagRun) -> None:
    named = {"dag_id": "d", "dag_run_id": "r", "task_id": "b"}
    asked = order(filters=None, items=[named, {**named, "task_id": "nope"}, {**named, "map_index": 3}])
    refused = post(client, PATH, asked)
    assert (refused.status_code, refused.json()["detail"]) == (404, "There is no such item: d r nope -1, d r b 3")
    assert post(client, PATH, {**asked, "items": [named]}).json()["total_entries"] == 1
    runs = {"target": "dag_runs", "kind": "stop", "items": [{"dag_id": "d", "dag_run_id": "r"}]}
    assert post(client, PATH, runs).json()["by_state"] == {"failed": 1}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["body", "target"]),
        (order(target="pools"), ["body", "target"]),
        (order(target="dags"), ["body", "kind"]),
        (order(kind="burn"), ["body", "kind"]),
        (order(filters={"dag_id": "d", "colour": "red"}), ["body", "filters", "colour"]),
        (order(filters={"dag_id": 7}), ["body", "filters", "dag_id"]),
        (order(filters={"dag_id": 7}, options={"dag_version": 1}), ["body", "filters", "dag_id"]),
        (order(filters={"dag_ids": [7]}, options={"dag_version": 1}), ["body", "filters", "dag_ids"]),
        (order(filters={}), ["body", "filters"]),
        (order(filters=[]), ["body", "filters"]),
        (order(items=[]), ["body", "items"]),
        (order(filters=None, items=[{"dag_id": "d"}]), ["body", "items", 0, "dag_run_id"]),
        (order(options={"note": 7}), ["body", "options", "note"]),
        (order(options={"speed": 7}), ["body", "options", "speed"]),
        (order(reason="x" * 1001), ["body", "reason"]),
    ],
)
def test_a_wrong_order_is_refused_with_the_place(client: Client, run: DagRun, body: Any, place: list[Any]) -> None:
    answer = post(client, PATH, body)
    assert answer.status_code == 422, answer.content
    assert place in [problem["loc"] for problem in answer.json()["detail"]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("[" * 100_000, "This is no JSON"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": "\\u0000"}', "character that cannot be kept"),
        ("[" * 102 + "]" * 102, "nested more than 100 levels"),
        ("[]", "is a JSON object"),
        ([], "is a JSON object"),
        (7, "is a JSON object"),
    ],
)
def test_a_configuration_that_no_run_can_keep_is_refused_when_it_is_ordered(
    client: Client, run: DagRun, given: Any, said: str
) -> None:
    answer = post(client, PATH, {"target": "dags", "kind": "trigger", "filters": {"dag_id": "d"}, "options": {"conf": given}})
    assert answer.status_code == 422, answer.content
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", "options", "conf"] and said in problem["msg"]


@pytest.mark.parametrize("conf", [{"api_token": "tell-nobody"}, '{"api_token": "tell-nobody"}'])
def test_c30d_secrets_of_a_configuration_reach_the_runs_and_nobody_who_looks(client: Client, run: DagRun, conf: Any) -> None:
    asked = {"target": "dags", "kind": "trigger", "filters": {"dag_id": "d"}, "options": {"conf": conf}, "dry_run": False}
    answer = post(client, PATH, asked)
    assert answer.json()["options"] == {"conf": {"api_token": "***"}}
    carry_out()
    assert DagRun.objects.get(run_type="manual", state="queued").conf == {"api_token": "tell-nobody"}
    told = [str(row.extra) for row in AuditLog.objects.all()]
    number, viewer = answer.json()["id"], signed_in("Viewer")
    pages = [viewer.get(place).content.decode() for place in (f"/bulk/{number}", PATH, f"{PATH}/{number}")]
    viewer.force_login(User.objects.get(username="admin"))
    pages.append(viewer.get(f"/admin/runs/bulkaction/{number}/change/").content.decode())
    assert len(told) == 2 and all("***" in text and "tell-nobody" not in text for text in told + pages)


@pytest.mark.parametrize(("headers", "door"), [({}, "rest_api"), ({"Referer": "http://testserver/docs"}, "ui")])
def test_runs_of_an_order_name_where_it_came_in_as_runs_that_are_triggered_singly(
    client: Client, run: DagRun, headers: dict[str, str], door: str
) -> None:
    asked = {"target": "dags", "kind": "trigger", "filters": {"dag_id": "d"}, "dry_run": False}
    post(client, PATH, asked, **headers)
    post(client, "/api/v2/dags/d/dagRuns", {"logical_date": None}, **headers)
    carry_out()
    triggered = DagRun.objects.filter(run_type="manual", state="queued")
    assert list(triggered.values_list("triggered_by", flat=True)) == [door, door]


def test_a_state_that_does_not_exist_is_refused_as_in_the_lists(client: Client, run: DagRun) -> None:
    answer = post(client, PATH, order(filters={"state": ["burning"]}, dry_run=False))
    assert answer.status_code == 422
    assert "Invalid value for state" in answer.json()["detail"]
    assert not BulkAction.objects.exists()


def test_failures_are_listed_with_their_reason(client: Client, run: DagRun) -> None:
    number = post(client, PATH, order(kind="give_up", dry_run=False)).json()["id"]
    carry_out()
    body = client.get(f"{PATH}/{number}/failures").json()
    assert body["total_entries"] == 1
    failure = body["failures"][0]
    assert (failure["dag_id"], failure["dag_run_id"], failure["task_id"], failure["map_index"]) == ("d", "r", "b", -1)
    assert failure["error"] == "b of run r does not wait for another try: it is failed"
    assert client.get(f"{PATH}/{number + 1}/failures").status_code == 404


def test_an_action_is_cancelled_once(client: Client, run: DagRun) -> None:
    number = post(client, PATH, order(dry_run=False)).json()["id"]
    answer = post(client, f"{PATH}/{number}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    carry_out()
    assert TaskInstance.objects.get(task_id="b").state == "failed"
    again = post(client, f"{PATH}/{number}/cancel")
    assert again.status_code == 409
    assert "nothing is left to cancel" in again.json()["detail"]
    assert AuditLog.objects.filter(event="cancel_bulk_action").count() == 1
    assert post(client, f"{PATH}/{number + 1}/cancel").status_code == 404


def test_actions_are_listed_newest_first_and_narrowed(client: Client, run: DagRun) -> None:
    for kind in ("clear", "delete", "mark_success"):
        post(client, PATH, order(kind=kind, dry_run=False))
    kinds = [row["kind"] for row in client.get(PATH).json()["bulk_actions"]]
    assert kinds == ["mark_success", "delete", "clear"]
    assert client.get(f"{PATH}?kind=clear&state=queued&actor=admin").json()["total_entries"] == 1
    assert client.get(f"{PATH}?state=done").json()["total_entries"] == 0
    assert client.get(f"{PATH}?state=lost").status_code == 422
    assert len(client.get(f"{PATH}?limit=1&offset=1").json()["bulk_actions"]) == 1


def test_c30a_rules_let_a_person_order_on_his_dags_and_see_his_own_orders(run: DagRun) -> None:
    make_ti(make_run(make_dag("hidden", dag("a")), state="failed"), "a", state="failed")
    ann, bob = person("ann", "Viewer"), person("bob", "User")
    DagRule.objects.create(user=ann, dag_id="d", role=Role.USER)
    DagRule.objects.create(user=bob, dag_id="*", role=Role.VIEWER)
    mine = client_of(ann)
    asked = order(filters={"state": "failed"})
    assert post(mine, PATH, asked).json()["total_entries"] == 1  # not the one of the hidden DAG
    number = post(mine, PATH, {**asked, "dry_run": False}).json()["id"]
    assert mine.get(PATH).json()["total_entries"] == 1
    theirs = client_of(bob)
    assert post(theirs, PATH, asked).json()["total_entries"] == 0  # he may only read
    assert theirs.get(PATH).json()["total_entries"] == 0
    assert theirs.get(f"{PATH}/{number}").status_code == 404


def test_an_order_under_open_access_ends_with_it(run: DagRun, open_access: None, monkeypatch: pytest.MonkeyPatch) -> None:
    number = post(Client(), PATH, order(dry_run=False)).json()["id"]
    carry_out()
    assert BulkAction.objects.get(pk=number).state == "done"
    post(Client(), PATH, order(filters={"dag_id": "d"}, dry_run=False))
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "False")
    conf.reload()
    carry_out()
    assert BulkAction.objects.latest("pk").error == "Anonymous may not change DAGs any more"


def test_c21b_a_run_is_stopped_once_with_who_and_why(client: Client, run: DagRun) -> None:
    DagRun.objects.update(state="running")
    TaskInstance.objects.filter(task_id="b").update(state="running")
    path = "/api/v2/dags/d/dagRuns/r/stop"
    answer = post(client, path, **{"X-Audit-Reason": "ticket 7"})
    assert (answer.status_code, answer.json()["state"]) == (200, "failed")
    row = AuditLog.objects.get(event="stop_dag_run")
    assert (row.owner, row.reason, row.before, row.after) == ("admin", "ticket 7", {"state": "running"}, {"state": "failed"})
    refused = post(client, path)
    assert refused.status_code == 409
    assert refused.json()["detail"] == "run 'r' of DAG 'd' is finished (failed): nothing is left to stop"
    assert post(client, "/api/v2/dags/d/dagRuns/nope/stop").status_code == 404
    with transaction.atomic():
        assert post(client, "/api/v2/dags/d/clearTaskInstances", {"dag_run_id": "r", "dry_run": False}).status_code == 200
    found = DagRun.objects.get()
    assert (found.state, found.stopped_by) == ("queued", None)


def test_a_viewer_reads_and_orders_nothing(run: DagRun) -> None:
    viewer = client_of(person("vic", "Viewer"))
    assert post(viewer, PATH, order()).status_code == 403
    assert viewer.get(PATH).status_code == 200
    assert User.objects.count() == 1
