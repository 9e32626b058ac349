"""The REST operations that mark, note, delete, hold, batch-read and wait."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditLog, User
from accounts.tokens import token_for
from orchestrator.sdk.serialization.spec import TaskGroupSpec
from runs.models import DagRun, Hold, RenderedFields, TaskInstance, TaskInstanceHistory, XCom
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.specs import dag

pytestmark = pytest.mark.django_db
RUN = "/api/v2/dags/d/dagRuns/r"
Send = Callable[..., Any]


@pytest.fixture
def send(client: Client) -> Send:
    def call(method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body) if body is not None else ""
        return getattr(client, method)(path, data, content_type="application/json")

    return call


@pytest.fixture
def run(db: None) -> DagRun:
    groups = [TaskGroupSpec("g", children=["g.b", "g.c"])]
    run = make_run(make_dag("d", dag("a >> g.b >> g.c", groups)), state="failed", logical_date=NOON, end_date=NOON)
    for task_id, state in (("a", "success"), ("g.b", "failed"), ("g.c", "upstream_failed")):
        make_ti(run, task_id, state=state, start_date=NOON, end_date=NOON)
    return run


def state_of(task_id: str) -> str | None:
    return TaskInstance.objects.get(task_id=task_id).state


# --- one task, one group


def test_marking_a_task_answers_with_it_and_lets_what_failed_below_run_again(send: Send, run: DagRun) -> None:
    answer = send("patch", f"{RUN}/taskInstances/g.b", {"new_state": "success", "note": "by hand"}).json()
    assert [(ti["task_id"], ti["state"], ti["note"]) for ti in answer["task_instances"]] == [("g.b", "success", "by hand")]
    assert set(answer) == {"task_instances", "total_entries", "next_cursor", "previous_cursor", "total_entries_limit"}
    run.refresh_from_db()
    assert (run.state, state_of("g.c")) == ("queued", None)
    assert AuditLog.objects.get(event="patch_task_instance").task_id == "g.b"


def test_a_task_that_is_in_the_state_already_is_a_conflict(send: Send, run: DagRun) -> None:
    answer = send("patch", f"{RUN}/taskInstances/a", {"new_state": "success"})
    assert (answer.status_code, answer.json()["detail"]) == (409, "Task id a is already in success state")


@pytest.mark.parametrize(
    ("path", "body", "found"),
    [
        ("a/dry_run", {"new_state": "success"}, []),
        ("a/dry_run", {"new_state": "failed"}, ["a"]),
        ("a/dry_run", {"new_state": "skipped", "include_downstream": True}, ["a", "g.b", "g.c"]),
        ("g.c/dry_run", {"new_state": "success", "include_upstream": True}, ["g.b", "g.c"]),
        ("g.c/-1/dry_run", {"new_state": "success"}, ["g.c"]),
    ],
)
def test_a_dry_run_names_what_would_change(send: Send, run: DagRun, path: str, body: dict[str, Any], found: list[str]) -> None:
    answer = send("patch", f"{RUN}/taskInstances/{path}", body).json()
    assert [ti["task_id"] for ti in answer["task_instances"]] == found
    assert (state_of("a"), state_of("g.b")) == ("success", "failed")


def test_one_map_index_is_patched_by_path_or_by_query(send: Send, run: DagRun) -> None:
    TaskInstance.objects.filter(task_id="g.c").update(map_index=0)
    make_ti(run, "g.c", map_index=1, state="failed")
    assert send("patch", f"{RUN}/taskInstances/g.c/1", {"new_state": "success"}).json()["total_entries"] == 1
    assert send("patch", f"{RUN}/taskInstances/g.c?map_index=0", {"new_state": "skipped"}).json()["total_entries"] == 1
    rows = TaskInstance.objects.filter(task_id="g.c").order_by("map_index")
    assert list(rows.values_list("state", flat=True)) == ["skipped", "success"]
    assert send("patch", f"{RUN}/taskInstances/g.c/7", {"new_state": "success"}).status_code == 404


def test_an_update_mask_keeps_the_other_fields_out(send: Send, run: DagRun) -> None:
    send("patch", f"{RUN}/taskInstances/a?update_mask=note", {"new_state": "failed", "note": "n"})
    assert (state_of("a"), TaskInstance.objects.get(task_id="a").note) == ("success", "n")
    send("patch", f"{RUN}/taskInstances/a", {"note": ""})
    assert TaskInstance.objects.get(task_id="a").note is None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("a", {}, 200),
        ("a", {"new_state": "running"}, 422),
        ("a", {"new_state": None}, 422),
        ("nope", {"new_state": "failed"}, 404),
        ("a", {"bogus": 1}, 422),
    ],
)
def test_what_cannot_be_marked_is_refused(send: Send, run: DagRun, path: str, body: dict[str, Any], status: int) -> None:
    assert send("patch", f"{RUN}/taskInstances/{path}", body).status_code == status


def test_a_group_is_marked_as_a_whole(send: Send, run: DagRun) -> None:
    path = f"{RUN}/taskGroupInstances/g"
    assert [ti["task_id"] for ti in send("patch", path + "/dry_run", {"new_state": "failed"}).json()["task_instances"]] == ["g.c"]
    answer = send("patch", path, {"new_state": "success"}).json()
    assert [(ti["task_id"], ti["state"]) for ti in answer["task_instances"]] == [("g.b", "success"), ("g.c", "success")]
    assert send("patch", path, {"new_state": "success"}).status_code == 409
    assert send("patch", f"{RUN}/taskGroupInstances/nope", {"new_state": "success"}).status_code == 404


# --- bulk


def test_task_instances_in_bulk_answer_per_action(send: Send, run: DagRun) -> None:
    actions = [
        {
            "action": "update",
            "entities": [{"task_id": "g.b", "map_index": -1, "new_state": "success"}, {"task_id": "a", "note": "n"}],
        },
        {"action": "delete", "entities": ["g.c"]},
        {"action": "create", "entities": []},
        {"action": "delete", "entities": ["nope"], "action_on_non_existence": "skip"},
    ]
    answer = send("patch", f"{RUN}/taskInstances", {"actions": actions}).json()
    assert answer["update"] == {"success": ["d.r.g.b[-1]", "d.r.a[-1]"], "errors": []}
    assert answer["delete"] == {"success": ["d.r.g.c[-1]"], "errors": []}
    assert answer["create"]["errors"][0]["status_code"] == 405
    gone = {"action": "delete", "entities": [{"task_id": "nope", "map_index": 1}]}
    assert send("patch", f"{RUN}/taskInstances", {"actions": [gone]}).json()["delete"]["errors"][0]["status_code"] == 404
    wild = {"action": "update", "entities": [{"task_id": "a", "new_state": "failed"}]}
    answer = send("patch", "/api/v2/dags/~/dagRuns/~/taskInstances", {"actions": [wild]}).json()
    assert answer["update"]["errors"][0]["status_code"] == 400


def test_runs_in_bulk_answer_per_run(send: Send, run: DagRun) -> None:
    make_run(run.dag, "r2", state="running")
    actions = [
        {"action": "update", "entities": [{"dag_run_id": "r", "state": "success", "note": "n"}]},
        {"action": "delete", "entities": ["r", "r2"]},
    ]
    answer = send("patch", "/api/v2/dags/d/dagRuns", {"actions": actions}).json()
    assert answer["update"] == {"success": ["d.r"], "errors": []}
    assert answer["delete"]["success"] == ["d.r"]
    assert answer["delete"]["errors"][0]["status_code"] == 409
    missing = {"action": "update", "entities": [{"dag_run_id": "nope", "state": "failed"}]}
    assert send("patch", "/api/v2/dags/d/dagRuns", {"actions": [missing]}).json()["update"]["errors"][0]["status_code"] == 404


# --- runs


@pytest.mark.parametrize("state", ["success", "failed", "queued"])
def test_a_run_gets_a_state_and_a_note(send: Send, run: DagRun, state: str) -> None:
    DagRun.objects.update(state="running", end_date=None)
    TaskInstance.objects.update(state="success")
    body = send("patch", RUN, {"state": state, "note": "n"}).json()
    assert (body["state"], body["note"], body["end_date"] is None) == (state, "n", state == "queued")
    assert send("patch", RUN, {"note": None}).json()["note"] is None
    assert send("patch", RUN, {"state": "running"}).status_code == 422


def test_a_deleted_run_takes_everything_of_it_along(send: Send, run: DagRun) -> None:
    ti = TaskInstance.objects.get(task_id="a")
    RenderedFields.objects.create(ti_id=ti.pk, dag_run=run, fields="{}")
    XCom.objects.create(dag_run=run, dag_id="d", run_id="r", task_id="a", key="k", value="1", timestamp=NOON)
    assert send("delete", RUN).status_code == 204
    assert not any(model.objects.exists() for model in (DagRun, TaskInstance, RenderedFields, XCom))
    assert send("delete", RUN).status_code == 404


def test_a_run_that_runs_is_not_deleted(send: Send, run: DagRun) -> None:
    DagRun.objects.update(state="running")
    assert send("delete", RUN).status_code == 409


def test_a_deleted_task_instance_of_a_run_that_runs_comes_back(send: Send) -> None:
    from tests.integration.runs.harness import Rounds, spec_of_edges, states, trigger

    run = trigger(spec_of_edges("d", {"a": [], "b": ["a"]}))
    rounds = Rounds()
    rounds.run()
    rounds.work()
    rounds.run()
    assert send("delete", f"/api/v2/dags/d/dagRuns/{run.run_id}/taskInstances/a").status_code == 200
    assert states(run) == {"b": "queued"}
    rounds.run()
    assert states(run)["a"] in ("scheduled", "queued")
    assert not TaskInstanceHistory.objects.exists()


# --- reading


def test_batches_read_across_dags(send: Send, run: DagRun) -> None:
    make_run(make_dag("e"), "r", run_after=NOON, state="running")
    runs = "/api/v2/dags/~/dagRuns/list"
    assert send("post", runs, {}).json()["total_entries"] == 2
    assert [r["dag_id"] for r in send("post", runs, {"dag_ids": ["e"], "states": ["running"]}).json()["dag_runs"]] == ["e"]
    assert send("post", runs, {"duration_gte": 1.5}).json()["total_entries"] == 0
    assert send("post", runs, {"order_by": "bogus"}).status_code == 400
    tis = "/api/v2/dags/~/dagRuns/~/taskInstances/list"
    found = send("post", tis, {"dag_ids": ["d"], "state": ["failed", None], "logical_date_gte": "2026-01-05T12:00:00Z"}).json()
    assert [ti["task_id"] for ti in found["task_instances"]] == ["g.b"]
    assert send("post", tis, {"page_limit": 1, "order_by": "-start_date"}).json()["total_entries"] == 3


def test_a_batch_is_of_all_dags_only(send: Send) -> None:
    problems = send("post", "/api/v2/dags/x/dagRuns/y/taskInstances/list", {"bogus": 1}).json()["detail"]
    assert [(p["type"], p["loc"]) for p in problems] == [
        ("literal_error", ["path", "dag_id"]),
        ("literal_error", ["path", "dag_run_id"]),
        ("extra_forbidden", ["body", "bogus"]),
    ]


def test_what_a_task_waits_for_is_named_as_airflow_names_it(send: Send, run: DagRun) -> None:
    DagRun.objects.update(state="running")
    TaskInstance.objects.filter(task_id="g.b").update(state="running")
    TaskInstance.objects.filter(task_id="g.c").update(state=None)
    (rule,) = send("get", f"{RUN}/taskInstances/g.c/dependencies").json()["dependencies"]
    assert rule["name"] == "Trigger Rule"
    assert "g.b" in rule["reason"]
    assert send("get", f"{RUN}/taskInstances/a/-1/dependencies").json() == {"dependencies": []}
    assert send("get", f"{RUN}/taskInstances/a/4/dependencies").status_code == 404


def test_waiting_streams_lines_until_the_run_has_ended(client: Client, run: DagRun) -> None:
    XCom.objects.create(dag_run=run, dag_id="d", run_id="r", task_id="a", key="return_value", value="[1]", timestamp=NOON)
    answer = client.get(f"{RUN}/wait?interval=1&result=a")
    assert b"".join(answer.streaming_content) == b'{"state": "failed", "results": {"a": [1]}}\n'  # type: ignore[attr-defined]
    assert client.get(f"{RUN}/wait").status_code == 422
    assert client.get(f"{RUN}/wait?interval=0").status_code == 422
    DagRun.objects.update(state="running")
    lines = iter(client.get(f"{RUN}/wait?interval=0.001").streaming_content)  # type: ignore[attr-defined]
    assert json.loads(next(lines)) == {"state": "running"}
    DagRun.objects.update(state="success")
    assert json.loads(list(lines)[-1]) == {"state": "success"}


def test_waiting_without_names_gives_the_results_that_the_author_chose(client: Client, run: DagRun) -> None:
    chosen = {"a": [(-1, "[1]", True)], "b": [(0, "1", True), (1, "2", True)], "c": [(-1, "3", False)]}
    for task_id, rows in chosen.items():
        for index, value, is_result in rows:
            place = {"dag_run": run, "dag_id": "d", "run_id": "r", "task_id": task_id, "map_index": index, "key": "return_value"}
            XCom.objects.create(**place, value=value, is_dag_result=is_result, timestamp=NOON)
    (line,) = client.get(f"{RUN}/wait?interval=1").streaming_content  # type: ignore[attr-defined]
    assert json.loads(line) == {"state": "failed", "results": {"a": [1], "b": [1, 2]}}


# --- holds


def test_c21c_a_hold_says_who_why_and_until_when(send: Send, run: DagRun) -> None:
    DagRun.objects.update(state="running")
    held = send("post", f"{RUN}/taskInstances/a/hold", {"reason": "look", "until": "2099-01-01T00:00:00Z"}).json()
    assert (held["task_id"], held["held_by"], held["reason"], held["until"]) == ("a", "admin", "look", "2099-01-01T00:00:00Z")
    send("post", f"{RUN}/hold", {})
    assert [h["task_id"] for h in send("get", f"{RUN}/holds").json()["holds"]] == [None, "a"]
    assert AuditLog.objects.filter(event="hold").count() == 2
    assert send("delete", f"{RUN}/hold").status_code == 204
    assert send("delete", f"{RUN}/taskInstances/a/hold").status_code == 204
    assert send("delete", f"{RUN}/hold").status_code == 404
    assert not Hold.objects.exists()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/hold", {"until": "2020-01-01T00:00:00Z"}, 400),
        ("/hold", {"bogus": 1}, 422),
        ("/taskInstances/nope/hold", {}, 404),
        ("/taskInstances/a/5/hold", {}, 404),
        ("/hold", {}, 409),
    ],
)
def test_c21c_what_cannot_be_held_is_refused(send: Send, run: DagRun, path: str, body: dict[str, Any], status: int) -> None:
    if status != 409:
        DagRun.objects.update(state="running")
    assert send("post", RUN + path, body).status_code == status


def test_viewers_change_nothing(run: DagRun) -> None:
    from django.contrib.auth.models import Group

    viewer = User.objects.create_user("v", password="a-long-password")
    viewer.groups.add(Group.objects.get_or_create(name="Viewer")[0])
    client = Client(headers={"Authorization": f"Bearer {token_for(viewer, lifetime_seconds=60)}"})
    for method, path in (
        ("patch", RUN),
        ("delete", RUN),
        ("post", f"{RUN}/clear"),
        ("post", "/api/v2/dags/d/clear"),
        ("post", "/api/v2/dags/d/clearTaskInstances"),
        ("patch", f"{RUN}/taskInstances/a"),
        ("patch", f"{RUN}/taskInstances"),
        ("post", f"{RUN}/hold"),
    ):
        assert getattr(client, method)(path, "{}", content_type="application/json").status_code == 403, path


# --- filters of runs


def test_runs_are_found_by_days_of_their_partitions_in_the_zone_of_the_dag(client: Client) -> None:
    from orchestrator.sdk.definitions.timetables import encode_timetable
    from orchestrator.sdk.definitions.timetables.partition import CronPartitionTimetable

    spec = dag("a")
    spec.timetable = encode_timetable(CronPartitionTimetable("@daily", timezone="America/New_York"))
    made = make_dag("p", spec)
    for day in (5, 6):
        make_run(made, f"r{day}", partition_date=NOON.replace(day=day, hour=3), partition_key="k")  # the evening before, there
    found = client.get("/api/v2/dags/p/dagRuns?partition_date_gte=2026-01-05&partition_date_lte=2026-01-05").json()
    assert [r["dag_run_id"] for r in found["dag_runs"]] == ["r6"]
    assert client.get("/api/v2/dags/~/dagRuns?partition_date_gte=2026-01-05").status_code == 400
    assert client.get("/api/v2/dags/p/dagRuns?partition_date_gte=soon").status_code == 422


def test_days_of_partitions_are_refused_where_a_dag_has_none(client: Client, run: DagRun) -> None:
    assert client.get("/api/v2/dags/d/dagRuns?partition_date_lte=2026-01-05").status_code == 400


def test_runs_are_found_by_the_asset_that_they_took(client: Client, run: DagRun) -> None:
    from dags_app.models import Asset
    from runs.models import AssetDelivery, AssetEvent

    asset = Asset.objects.create(name="orders_%", uri="s3://orders/k")
    event = AssetEvent.objects.create(asset=asset, timestamp=NOON)
    AssetDelivery.objects.create(event=event, dag=run.dag, asset=asset, dag_run=run, created_at=NOON)
    make_run(run.dag, "other")
    for text, number in (("S3://ORD", 1), ("orders_%25", 1), ("nothing", 0), ("orders_x", 0)):
        assert client.get(f"/api/v2/dags/~/dagRuns?consuming_asset_pattern={text}").json()["total_entries"] == number, text


def test_a_run_id_without_a_dag_is_refused(client: Client, run: DagRun) -> None:
    assert client.get("/api/v2/dags/~/dagRuns/r/taskInstances").status_code == 400
