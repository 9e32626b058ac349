"""The REST operations that clear: what a dry run lists, what a clear leaves, and the refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditLog
from dags_app.models import Dag, DagVersion
from orchestrator.config import conf
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec, to_json
from runs.models import DagRun, TaskInstance, TaskInstanceHistory
from tests.factories import NOON, make_dag, make_lease, make_run, make_ti
from tests.specs import dag

pytestmark = pytest.mark.django_db
CLEAR = "/api/v2/dags/d/clearTaskInstances"


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


@pytest.fixture
def run(db: None) -> DagRun:
    run = make_run(make_dag("d", dag("a >> b >> c")), state="failed", logical_date=NOON)
    for task_id, state in (("a", "success"), ("b", "failed"), ("c", "upstream_failed")):
        make_ti(run, task_id, state=state, try_number=int(state != "upstream_failed"))
    return run


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [ti["task_id"] for ti in answer.json()["task_instances"]]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["b", "c"]),
        ({"only_failed": False}, ["a", "b", "c"]),
        ({"only_failed": False, "task_ids": ["b"]}, ["b"]),
        ({"only_failed": False, "task_ids": ["b"], "include_downstream": True}, ["b", "c"]),
        ({"only_failed": False, "task_ids": ["b"], "include_upstream": True}, ["a", "b"]),
        ({"only_failed": False, "task_ids": [["b", -1]]}, ["b"]),
        ({"only_running": True}, ["b", "c"]),
        ({"only_failed": False, "only_running": True}, []),
        ({"only_failed": False, "task_ids": ["nope"]}, []),
    ],
)
def test_a_dry_run_lists_what_would_be_cleared_and_changes_nothing(
    client: Client, run: DagRun, asked: dict[str, Any], found: list[str]
) -> None:
    assert ids(post(client, CLEAR, {"dag_run_id": "r", **asked})) == found
    run.refresh_from_db()
    assert run.state == "failed"


def test_a_clear_begins_anew_and_queues_the_run_again(client: Client, run: DagRun) -> None:
    answer = post(client, CLEAR, {"dag_run_id": "r", "dry_run": False, "note": "again"})
    assert [(ti["task_id"], ti["state"], ti["note"]) for ti in answer.json()["task_instances"]] == [
        ("b", None, "again"),
        ("c", None, "again"),
    ]
    run.refresh_from_db()
    assert (run.state, run.clear_number, run.start_date, run.end_date) == ("queued", 1, None, None)
    assert TaskInstanceHistory.objects.get().task_id == "b"
    assert TaskInstance.objects.get(task_id="a").state == "success"
    assert AuditLog.objects.get(event="post_clear_task_instances").owner == "admin"


def test_without_reset_the_run_stays_as_it_is(client: Client, run: DagRun) -> None:
    post(client, CLEAR, {"dag_run_id": "r", "dry_run": False, "reset_dag_runs": False})
    run.refresh_from_db()
    assert (run.state, run.clear_number) == ("failed", 0)
    assert TaskInstance.objects.get(task_id="b").state is None


def test_what_runs_is_cleared_only_where_that_is_not_prevented(client: Client, run: DagRun) -> None:
    TaskInstance.objects.filter(task_id="b").update(state="running")
    make_lease(TaskInstance.objects.get(task_id="b"))
    body = {"dag_run_id": "r", "dry_run": False, "only_failed": False, "task_ids": ["b"]}
    refused = post(client, CLEAR, body | {"prevent_running_task": True})
    assert refused.status_code == 409
    assert "running" in refused.json()["detail"]
    assert TaskInstance.objects.get(task_id="b").state == "running"
    assert post(client, CLEAR, body).status_code == 200
    assert TaskInstanceHistory.objects.get(task_id="b").cause == "cleared"


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ({"dag_run_id": "r2"}, [2]),
        ({"dag_run_id": "r2", "include_future": True}, [2, 3]),
        ({"dag_run_id": "r2", "include_past": True}, [1, 2]),
        ({"start_date": "2026-01-02T00:00:00Z", "end_date": "2026-01-02T23:00:00Z"}, [2]),
        ({"start_date": "2026-01-02T00:00:00Z"}, [2, 3]),
        ({}, [1, 2, 3]),
    ],
)
def test_runs_are_chosen_by_id_or_by_logical_date(client: Client, asked: dict[str, Any], days: list[int]) -> None:
    made = make_dag("d", dag("a"))
    for day in (1, 2, 3):
        make_ti(make_run(made, f"r{day}", logical_date=NOON.replace(day=day)), "a", state="failed")
    found = post(client, CLEAR, asked).json()["task_instances"]
    assert [int(ti["logical_date"][8:10]) for ti in found] == days


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"only_failed": True, "only_running": True}, 422),
        ({"task_ids": []}, 422),
        ({"start_date": "2026-02-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"}, 422),
        ({"start_date": "2026-02-01T00:00:00Z", "dag_run_id": "r"}, 422),
        ({"bogus": 1}, 422),
        ({"note": "n" * 1001}, 422),
        ({"dag_run_id": "nope"}, 404),
    ],
)
def test_a_body_that_contradicts_itself_is_refused(client: Client, run: DagRun, body: dict[str, Any], status: int) -> None:
    assert post(client, CLEAR, body).status_code == status


def test_the_past_of_a_run_without_a_logical_date_is_refused(client: Client, run: DagRun) -> None:
    DagRun.objects.update(logical_date=None)
    assert post(client, CLEAR, {"dag_run_id": "r", "include_past": True}).status_code == 400


def test_setups_and_teardowns_are_cleared_along(client: Client) -> None:
    spec = dag("s >> w >> t, s >> t, t >> z", s={"is_setup": True}, t={"is_teardown": True})
    run = make_run(make_dag("d", spec), state="success")
    for task_id in ("s", "w", "t", "z"):
        make_ti(run, task_id, state="success")
    assert ids(post(client, CLEAR, {"dag_run_id": "r", "only_failed": False, "task_ids": ["w"]})) == ["s", "t", "w"]


# --- whole runs


def test_a_run_is_cleared_as_a_whole_or_where_it_failed(client: Client, run: DagRun) -> None:
    path = "/api/v2/dags/d/dagRuns/r/clear"
    assert ids(post(client, path, {})) == ["a", "b", "c"]
    assert ids(post(client, path, {"only_failed": True})) == ["b", "c"]
    body = post(client, path, {"dry_run": False, "only_failed": True, "note": "why"}).json()
    assert (body["state"], body["note"], body["dag_run_id"]) == ("queued", "why", "r")
    assert TaskInstance.objects.get(task_id="a").state == "success"
    assert post(client, path, {"only_failed": True, "only_new": True}).status_code == 422


def test_several_runs_are_cleared_at_once(client: Client, run: DagRun) -> None:
    other = make_run(run.dag, "r2", state="success")
    make_ti(other, "a", state="success")
    path = "/api/v2/dags/d/clearDagRuns"
    named = {"dag_runs": [{"dag_run_id": "r"}, {"dag_run_id": "r2"}]}
    assert len(ids(post(client, path, named))) == 4
    body = post(client, path, named | {"dry_run": False}).json()
    assert [(r["dag_run_id"], r["state"]) for r in body["dag_runs"]] == [("r", "queued"), ("r2", "queued")]
    assert post(client, path, {"dag_runs": [{"dag_run_id": "r", "dag_id": "x"}]}).status_code == 400
    assert post(client, path, {}).status_code == 422
    assert post(client, "/api/v2/dags/~/clearDagRuns", named).status_code == 400


def test_partitions_are_taken_off_runs(client: Client, run: DagRun) -> None:
    DagRun.objects.update(partition_key="p", partition_date=NOON)
    path = "/api/v2/dags/d/clearPartitions"
    assert post(client, path, {"partition_key": "p"}).json() == {
        "dag_runs_cleared": 1,
        "task_instances_cleared": 0,
        "dry_run": True,
    }
    answer = post(client, path, {"run_id": "r", "clear_task_instances": True, "dry_run": False}).json()
    assert answer == {"dag_runs_cleared": 1, "task_instances_cleared": 3, "dry_run": False}
    run.refresh_from_db()
    assert (run.partition_key, run.partition_date, run.state) == (None, None, "queued")
    assert post(client, path, {"run_id": "r", "partition_key": "p"}).status_code == 422


# --- versions


def new_version(made: Dag, spec: DagSpec, **fields: Any) -> DagVersion:
    number = made.versions.count() + 1
    made.latest_version = DagVersion.objects.create(
        dag=made,
        version_number=number,
        structure_hash=str(new_id()),
        attributes_hash="a",
        document=json.dumps(to_json(spec)),
        **fields,
    )
    made.save(update_fields=["latest_version"])
    return made.latest_version


@pytest.fixture
def versioned(run: DagRun) -> DagRun:
    """The run is of version 1 of a bundle that keeps versions; version 2 has d instead of c."""
    run.dag.versions.update(bundle_version="one")
    DagRun.objects.update(bundle_version="one")
    new_version(run.dag, dag("a >> b >> d"), bundle_version="two")
    return run


def test_c20d_a_clear_keeps_the_version_of_the_run_unless_the_newest_is_asked_for(client: Client, versioned: DagRun) -> None:
    post(client, CLEAR, {"dag_run_id": "r", "dry_run": False})
    versioned.refresh_from_db()
    assert versioned.bundle_version == "one"
    post(client, "/api/v2/dags/d/dagRuns/r/clear", {"dry_run": False, "run_on_latest_version": True})
    versioned.refresh_from_db()
    assert (versioned.bundle_version, versioned.created_dag_version.version_number) == ("two", 2)
    assert TaskInstance.objects.get(task_id="c").state == "removed"  # C20-e


@pytest.mark.parametrize(
    ("of_dag", "of_config", "asked", "taken"),
    [
        (None, None, None, "one"),
        (None, "True", None, "two"),
        (False, "True", None, "one"),
        (True, None, None, "two"),
        (True, None, False, "one"),
        (None, None, True, "two"),
    ],
)
def test_c20d_who_says_whether_a_rerun_takes_the_newest_version(
    client: Client,
    versioned: DagRun,
    monkeypatch: pytest.MonkeyPatch,
    of_dag: bool | None,
    of_config: str | None,
    asked: bool | None,
    taken: str,
) -> None:
    spec = dag("a >> b >> d")
    spec.rerun_with_latest_version = of_dag
    new_version(versioned.dag, spec, bundle_version="two")
    if of_config:
        monkeypatch.setenv("AIRFLOW__CORE__RERUN_WITH_LATEST_VERSION", of_config)
    conf.reload()
    try:
        body = {"dag_run_id": "r", "dry_run": False, "run_on_latest_version": asked}
        assert post(client, CLEAR, body).status_code == 200
    finally:
        monkeypatch.undo()
        conf.reload()
    versioned.refresh_from_db()
    assert versioned.bundle_version == taken


def test_c20e_the_preview_names_version_and_tasks_gained_and_lost(client: Client, versioned: DagRun) -> None:
    path = "/api/v2/dags/d/clear"
    (own,) = post(client, path, {"dag_run_id": "r"}).json()["runs"]
    assert (own["dag_version"], own["new_tasks"], own["removed_tasks"]) == (1, [], [])
    (latest,) = post(client, path, {"dag_run_id": "r", "run_on_latest_version": True}).json()["runs"]
    assert (latest["dag_version"], latest["new_tasks"], latest["removed_tasks"]) == (2, ["d"], ["c"])
    (chosen,) = post(client, path, {"dag_run_id": "r", "dag_version": 2, "dry_run": False}).json()["runs"]
    assert chosen["dag_version"] == 2
    versioned.refresh_from_db()
    assert versioned.bundle_version == "two"
    assert post(client, path, {"dag_run_id": "r", "dag_version": 9}).status_code == 400


def test_c20d_a_bundle_that_keeps_no_versions_offers_only_the_newest(client: Client, run: DagRun) -> None:
    new_version(run.dag, dag("a >> b >> d"))
    refused = post(client, "/api/v2/dags/d/clear", {"dag_run_id": "r", "dag_version": 1})
    assert refused.status_code == 400
    assert "keeps no versions" in refused.json()["detail"]


def test_c20e_only_the_new_tasks_of_the_newest_version_are_run(client: Client, versioned: DagRun) -> None:
    from tests.integration.runs.harness import Rounds, states

    path = "/api/v2/dags/d/dagRuns/r/clear"
    TaskInstance.objects.update(state="success")
    assert post(client, path, {"only_new": True}).json()["task_instances"] == [{"task_id": "d", "task_display_name": "d"}]
    assert post(client, path, {"only_new": True, "dry_run": False}).json()["state"] == "queued"
    assert Rounds().complete() == [["d"]]
    assert states(versioned) == {"a": "success", "b": "success", "c": "removed", "d": "success"}
    assert TaskInstance.objects.get(task_id="d").dag_version.version_number == 2


# --- across DAGs


def chain(length: int, depth: int = 10, circle: bool = False) -> None:
    """DAGs d, d1, d2 …, each with a marker for the next one's first task."""
    names = ["d", *(f"d{n}" for n in range(1, length))]
    for here, following in zip(names, [*names[1:], "d" if circle else None], strict=True):
        attributes = {"external_dag_id": following, "external_task_id": "first", "recursion_depth": depth}
        attributes["logical_date"] = "{{ logical_date.isoformat() }}"
        marker = [TaskSpec("mark", task_type="ExternalTaskMarker", upstream_task_ids=["first"], attributes=attributes)]
        first = TaskSpec("first", downstream_task_ids=["mark"] if following else [])
        run = make_run(
            make_dag(here, DagSpec(dag_id=here, tasks=[first, *(marker if following else [])])),
            state="success",
            logical_date=NOON,
        )
        for task in (first, *(marker if following else [])):
            make_ti(run, task.task_id, state="success")


def test_c21d_a_recursive_clear_follows_markers_into_other_dags(client: Client) -> None:
    chain(3)
    body = {"dag_run_id": "r", "task_ids": ["first"], "include_downstream": True, "recursive": True}
    answer = post(client, "/api/v2/dags/d/clear", body).json()
    assert answer["total_entries"] == 5
    assert [(r["dag_id"], (r["reached_by"] or {}).get("dag_id")) for r in answer["runs"]] == [
        ("d", None),
        ("d1", "d"),
        ("d2", "d1"),
    ]
    assert set(DagRun.objects.values_list("state", flat=True)) == {"success"}
    assert post(client, "/api/v2/dags/d/clear", body | {"dry_run": False}).json()["total_entries"] == 5
    assert set(DagRun.objects.values_list("state", flat=True)) == {"queued"}
    assert set(TaskInstance.objects.values_list("state", flat=True)) == {None}


def test_c21d_without_recursive_other_dags_are_left_alone(client: Client) -> None:
    chain(2)
    body = {"dag_run_id": "r", "only_failed": False, "dry_run": False}
    post(client, CLEAR, body)
    assert DagRun.objects.get(dag_id="d1").state == "success"


def test_c21d_more_dags_than_the_first_marker_allows_are_an_error_and_nothing_is_cleared(client: Client) -> None:
    chain(4, depth=2)
    body = {"dag_run_id": "r", "recursive": True, "dry_run": False}
    refused = post(client, "/api/v2/dags/d/clear", body)
    assert refused.status_code == 400
    assert "recursion depth 2" in refused.json()["detail"]
    assert set(DagRun.objects.values_list("state", flat=True)) == {"success"}


def test_c21d_markers_in_a_circle_end(client: Client) -> None:
    chain(3, circle=True)
    answer = post(client, "/api/v2/dags/d/clear", {"dag_run_id": "r", "recursive": True, "dry_run": True}).json()
    assert answer["total_entries"] == 6
