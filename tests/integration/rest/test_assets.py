"""The REST operations on assets, events, queues and kept values against the recorded contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditLog
from dags_app.models import Asset, AssetAlias
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.asset import Asset as A
from orchestrator.sdk.definitions.asset import AssetAlias as Alias
from orchestrator.sdk.definitions.asset import AssetWatcher as Watcher
from orchestrator.sdk.definitions.timetables import PartitionedAtRuntime
from orchestrator.sdk.triggers.file import FileDeleteTrigger
from runs.assets.deliveries import DELETED
from runs.assets.event_runs import run_from_events
from runs.assets.watchers import triggers_settle
from runs.models import AssetDelivery, AssetEvent, AssetState, DagRun, TaskState
from tests.assets import happen, stored
from tests.factories import make_run, make_ti

pytestmark = pytest.mark.django_db
JSON = "application/json"
Fits = Callable[[str, dict[str, Any]], None]


def get(client: Client, path: str, **query: Any) -> Any:
    return client.get(f"/api/v2{path}", query)


def names(client: Client, path: str = "/assets", **query: Any) -> list[str]:
    return [asset["name"] for asset in get(client, path, **query).json()["assets"]]


def of(name: str) -> int:
    return Asset.objects.get(name=name).pk


# ------------------------------------------------------------------------------------------------ assets


def test_an_asset_shows_who_reads_writes_and_watches_it(client: Client, fits_schema: Fits):
    watched = A("a", uri="s3://a/k", watchers=[Watcher("w", FileDeleteTrigger("/tmp/x"))])
    stored("d", watched)
    stored("writer", outlets=[A("a", uri="s3://a/k"), Alias("al")], inlets=[A("a", uri="s3://a/k")])
    event = happen("a", aliases=["al"])
    triggers_settle(utcnow())
    body = get(client, f"/assets/{of('a')}").json()
    fits_schema("AssetResponse", body)
    assert [row["dag_id"] for row in body["scheduled_dags"]] == ["d"]
    assert [(row["dag_id"], row["task_id"]) for row in body["producing_tasks"]] == [("writer", "t")]
    assert [(row["dag_id"], row["task_id"]) for row in body["consuming_tasks"]] == [("writer", "t")]
    assert [alias["name"] for alias in body["aliases"]] == ["al"]
    assert [watcher["name"] for watcher in body["watchers"]] == ["w"]
    assert body["last_asset_event"]["id"] == event.pk
    assert get(client, "/assets").json()["assets"] == [body]


def test_assets_are_filtered_and_ordered(client: Client):
    stored("d", A("b", uri="s3://1/k") & A("a", uri="s3://2/k"))
    stored("e", A("c", uri="file://3/k"))
    Asset.objects.create(name="gone", uri="s3://gone/k", is_active=False)
    assert names(client) == ["a", "b", "c"]  # in the order in which they were made
    assert names(client, order_by="-uri") == ["a", "b", "c"]
    assert names(client, uri_pattern="S3", order_by="name") == ["a", "b"]
    assert names(client, uri_prefix_pattern="file") == ["c"]
    assert names(client, name_pattern="a|c", order_by="name") == ["a", "c"]
    assert names(client, dag_ids=["e"]) == ["c"]
    assert names(client, only_active="false", name_prefix_pattern="g") == ["gone"]
    assert get(client, "/assets", order_by="group").status_code == 400


def test_a_page_of_assets_costs_the_same_whatever_it_holds(client: Client, django_assert_num_queries: Any):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            get(client, "/assets")
        return len(captured)

    stored("d0", A("a0"))
    one = queries()
    for number in range(1, 6):
        stored(f"d{number}", A(f"a{number}"), outlets=[A(f"o{number}")])
    assert queries() == one


def test_aliases_are_listed_and_read(client: Client, fits_schema: Fits):
    stored("d", Alias("x", group="g") | Alias("y"))
    body = get(client, "/assets/aliases", name_pattern="x").json()
    assert body["total_entries"] == 1
    fits_schema("AssetAliasResponse", body["asset_aliases"][0])
    alias = AssetAlias.objects.get(name="x")
    assert get(client, f"/assets/aliases/{alias.pk}").json() == {"id": alias.pk, "name": "x", "group": "g"}


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/assets/999999", 404, "The Asset with ID: `999999` was not found"),
        ("/assets/aliases/999999", 404, "The Asset Alias with ID: `999999` was not found"),
        ("/assets/999999/state-store", 404, "Asset with id 999999 not found"),
        ("/dags/d/assets/1/queuedEvents", 404, "Queued event with dag_id: `d` and asset_id: `1` was not found"),
    ],
)
def test_what_is_not_there_is_404_with_airflows_words(client: Client, path: str, status: int, detail: str):
    answer = get(client, path)
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


def test_an_id_that_is_no_number_is_422(client: Client):
    (problem,) = get(client, "/assets/abc").json()["detail"]
    assert (problem["type"], problem["loc"]) == ("int_parsing", ["path", "asset_id"])


# ------------------------------------------------------------------------------------------------ events


def test_an_event_by_hand_makes_runs_and_is_audited(client: Client, fits_schema: Fits):
    dag = stored("d", A("a"))
    body = {"asset_id": of("a"), "extra": {"by": "api"}}
    answer = client.post("/api/v2/assets/events", body, content_type=JSON)
    assert answer.status_code == 200
    fits_schema("AssetEventResponse", answer.json())
    assert answer.json()["extra"] == {"by": "api", "from_rest_api": True}
    assert AuditLog.objects.get().event == "create_asset_event"
    run = run_from_events(dag.dag_id, now=utcnow()).run
    (event,) = get(client, "/assets/events").json()["asset_events"]
    (created,) = event["created_dagruns"]
    fits_schema("DagRunAssetReference", created)
    assert (created["run_id"], created["triggering"]) == (run.run_id, True)


def test_an_event_without_extra_has_none(client: Client):
    stored("d", A("a"))
    answer = client.post("/api/v2/assets/events", {"asset_id": of("a")}, content_type=JSON)
    assert answer.json()["extra"] == {}


@pytest.mark.parametrize(
    ("more", "status", "kind"),
    [
        ({"partition_key": "  "}, 422, "string_pattern_mismatch"),
        ({"x": 1}, 422, "extra_forbidden"),
        ({"extra": 1}, 422, "dict_type"),
    ],
)
def test_a_wrong_event_is_422(client: Client, more: dict[str, Any], status: int, kind: str):
    stored("d", A("a"))
    answer = client.post("/api/v2/assets/events", {"asset_id": of("a"), **more}, content_type=JSON)
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (status, kind)
    assert not AssetEvent.objects.exists()


def test_events_are_filtered_ordered_and_only_the_newest_triggers(client: Client):
    dag = stored("d", A("a") | A("b"))
    for number in range(3):
        happen("a", n=number)
    happen("b", n=3)
    run = run_from_events(dag.dag_id, now=utcnow()).run

    def found(**query: Any) -> list[int]:
        return [event["extra"]["n"] for event in get(client, "/assets/events", **query).json()["asset_events"]]

    assert found() == [0, 1, 2, 3]
    assert found(order_by="-timestamp", limit=2) == [3, 2]
    assert found(asset_id=of("b")) == found(name_pattern="B") == [3]
    assert found(source_dag_id="x") == []
    after = AssetEvent.objects.get(extra__n=2).timestamp.isoformat()
    assert found(timestamp_gte=after) == [2, 3]
    upstream = get(client, f"/dags/d/dagRuns/{run.run_id}/upstreamAssetEvents").json()
    assert upstream["total_entries"] == 4
    triggering = [event["created_dagruns"][0]["triggering"] for event in upstream["asset_events"]]
    assert triggering == [False, False, False, True]
    runs = get(client, "/dags/~/dagRuns", consuming_asset_pattern="B").json()
    assert [row["dag_run_id"] for row in runs["dag_runs"]] == [run.run_id]


def test_dags_are_found_by_the_assets_of_their_schedule(client: Client):
    stored("d", A("one", uri="s3://two/k"))
    stored("e", Alias("one"))
    stored("f")

    def found(**query: Any) -> list[str]:
        return [dag["dag_id"] for dag in get(client, "/dags", order_by="dag_id", **query).json()["dags"]]

    assert found(asset_dependency="TWO") == found(has_asset_schedule="true") == ["d"]
    assert found(has_asset_schedule="false") == ["e", "f"]


# ------------------------------------------------------------------------------------------------ queues


def test_a_queue_has_one_entry_per_dag_and_asset_until_it_is_emptied(client: Client, fits_schema: Fits):
    stored("d", A("a") & A("b"))
    for _ in range(3):
        happen("a")
    body = get(client, "/dags/d/assets/queuedEvents").json()
    assert body["total_entries"] == 1
    (entry,) = body["queued_events"]
    fits_schema("QueuedEventResponse", entry)
    assert get(client, f"/assets/{of('a')}/queuedEvents").json() == body
    assert get(client, f"/dags/d/assets/{of('a')}/queuedEvents").json() == entry
    before = {"before": entry["created_at"]}
    assert get(client, "/dags/d/assets/queuedEvents", **before).json()["queued_events"] == []
    assert client.delete("/api/v2/dags/d/assets/queuedEvents").status_code == 204
    assert set(AssetDelivery.objects.values_list("dropped_reason", flat=True)) == {DELETED}
    again = client.delete("/api/v2/dags/d/assets/queuedEvents")
    assert (again.status_code, again.json()["detail"]) == (404, "Queue event with dag_id: `d` was not found")
    happen("b")
    assert run_from_events("d", now=utcnow()).run is None


# ------------------------------------------------------------------------------------------------ materialize


def materialize(client: Client, asset_id: int, body: Any = ...) -> Any:
    content = "" if body is ... else body
    return client.post(f"/api/v2/assets/{asset_id}/materialize", content, content_type=JSON)


@pytest.mark.parametrize("body", [..., {}, {"conf": {"x": 1}, "note": "n"}])
def test_materializing_starts_the_dag_that_writes_the_asset(client: Client, fits_schema: Fits, body: Any):
    stored("writer", outlets=[A("a")])
    answer = materialize(client, of("a"), body)
    assert answer.status_code == 200
    fits_schema("DAGRunResponse", answer.json())
    run = DagRun.objects.get()
    assert (run.run_type, run.triggered_by, run.triggering_user_name) == ("asset_materialization", "rest_api", "admin")
    assert run.run_id.startswith("asset_materialization__")
    assert run.conf == ({} if body in (..., {}) else {"x": 1})


def test_materializing_takes_a_partition_key_of_a_partitioned_dag_only(client: Client):
    stored("writer", PartitionedAtRuntime(), outlets=[A("a")])
    stored("other", outlets=[A("b")])
    assert materialize(client, of("a"), {"partition_key": "us"}).json()["partition_key"] == "us"
    answer = materialize(client, of("b"), {"partition_key": "us"})
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "Dag 'other' is not a partitioned Dag and does not accept a partition_key.",
    )


def test_an_asset_that_nobody_or_more_than_one_dag_writes_cannot_be_materialized(client: Client):
    stored("d", A("read"))
    answer = materialize(client, of("read"), {})
    assert (answer.status_code, answer.json()["detail"]) == (404, f"No Dag materializes asset with ID: {of('read')}")
    for name in ("one", "two"):
        stored(name, outlets=[A("twice")])
    answer = materialize(client, of("twice"), {})
    assert (answer.status_code, answer.json()["detail"]) == (409, f"More than one Dag materializes asset with ID: {of('twice')}")


# ------------------------------------------------------------------------------------------------ kept values


def put(client: Client, path: str, body: Any) -> Any:
    return client.put(f"/api/v2{path}", body, content_type=JSON)


def test_values_of_a_task_are_set_listed_patched_and_forgotten(client: Client, fits_schema: Fits):
    make_ti(make_run(stored("d")))
    path = "/dags/d/dagRuns/r/taskInstances/t/state-store"
    assert put(client, f"{path}/a/b", {"value": {"x": 1}}).status_code == 204
    assert put(client, f"{path}/never", {"value": 1, "expires_at": None}).status_code == 204
    body = get(client, path).json()
    assert [row["key"] for row in body["task_state_store"]] == ["a/b", "never"]
    for row in body["task_state_store"]:
        fits_schema("TaskStateStoreResponse", row)
    expiry = {row["key"]: row["expires_at"] for row in body["task_state_store"]}
    assert expiry["never"] is None and expiry["a/b"] is not None
    assert client.patch(f"/api/v2{path}/a/b", {"value": 2}, content_type=JSON).json() is None
    changed = get(client, f"{path}/a/b").json()
    assert (changed["value"], changed["expires_at"]) == (2, expiry["a/b"])
    assert client.patch(f"/api/v2{path}/other", {"value": 2}, content_type=JSON).status_code == 404
    assert client.delete(f"/api/v2{path}/a/b").status_code == 204
    assert client.delete(f"/api/v2{path}").status_code == 204
    assert not TaskState.objects.exists()
    assert AuditLog.objects.filter(dag_id="d", task_id="t").count() == 5


def test_clearing_can_mean_every_map_index(client: Client):
    run = make_run(stored("d"))
    path = "/dags/d/dagRuns/r/taskInstances/t/state-store"
    for index in (0, 1):
        make_ti(run, map_index=index)
        assert put(client, f"{path}/k?map_index={index}", {"value": index}).status_code == 204
    assert client.delete(f"/api/v2{path}").status_code == 404
    assert get(client, f"{path}/k", map_index=1).json()["value"] == 1
    assert client.delete(f"/api/v2{path}?all_map_indices=true").status_code == 204
    assert not TaskState.objects.exists()


@pytest.mark.parametrize("value", [None, "x" * 65_540])
def test_null_and_too_long_values_are_422(client: Client, value: Any):
    make_ti(make_run(stored("d", outlets=[A("a")])))
    for path in ("/dags/d/dagRuns/r/taskInstances/t/state-store/k", f"/assets/{of('a')}/state-store/k"):
        answer = put(client, path, {"value": value})
        assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "value_error")


def test_a_value_for_a_task_that_is_not_there_is_404(client: Client):
    answer = put(client, "/dags/d/dagRuns/r/taskInstances/t/state-store/k", {"value": 1})
    ids = "dag_id='d', run_id='r', task_id='t', map_index=-1"
    assert (answer.status_code, answer.json()["detail"]) == (404, f"Task instance not found for {ids}")
    assert get(client, "/dags/d/dagRuns/r/taskInstances/t/state-store").json() == {"task_state_store": [], "total_entries": 0}


def test_values_beside_an_asset_are_set_listed_and_forgotten(client: Client, fits_schema: Fits):
    stored("d", outlets=[A("a")])
    path = f"/assets/{of('a')}/state-store"
    assert put(client, f"{path}/a/b", {"value": [1]}).status_code == 204
    body = get(client, f"{path}/a/b").json()
    fits_schema("AssetStateStoreResponse", body)
    writer = {"kind": "api", "dag_id": None, "run_id": None, "task_id": None, "map_index": None}
    assert (body["value"], body["last_updated_by"]) == ([1], writer)
    assert get(client, path).json() == {"asset_state_store": [body], "total_entries": 1}
    assert client.delete(f"/api/v2{path}/a/b").status_code == 204
    put(client, f"{path}/k", {"value": 1})
    assert client.delete(f"/api/v2{path}").status_code == 204
    assert not AssetState.objects.exists()
