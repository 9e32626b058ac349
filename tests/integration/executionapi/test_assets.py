"""Assets through the Execution API: events of a success, events to read, what a run has consumed, inactive assets."""

from __future__ import annotations

from typing import Any

import pytest

from dags_app.models import Asset
from orchestrator.sdk.definitions.asset import Asset as A
from orchestrator.sdk.definitions.asset import AssetAlias as Alias
from runs.assets.event_runs import run_from_events
from runs.models import AssetEvent, DagRun
from tests.assets import happen, stored
from tests.factories import make_run, make_ti
from tests.integration.executionapi.conftest import Worker

pytestmark = pytest.mark.django_db


def worker(outlets: Any = (), inlets: Any = (), state: str = "running", **row: Any) -> Worker:
    return Worker(make_ti(make_run(stored("w", outlets=outlets, inlets=inlets)), state=state, **row))


def get(asking: Worker, path: str, version: str = "", **query: Any) -> Any:
    return asking.send("GET", path, query=query, version=version)


# ------------------------------------------------------------------------------------------------ success


def test_a_success_brings_its_events_and_a_repeat_brings_none_more():
    asking = worker([A("a", uri="s3://a/k")], map_index=3)
    body = {
        "task_outlets": [{"name": "a", "uri": "s3://a/k", "type": "Asset"}],
        "outlet_events": [{"dest_asset_key": {"name": "a", "uri": "s3://a/k"}, "extra": {"rows": 1}}],
    }
    for _ in range(2):
        assert asking.state(**body).status_code == 204
    event = AssetEvent.objects.get()
    assert (event.extra, event.source_dag_id, event.source_run_id, event.source_task_id, event.source_map_index) == (
        {"rows": 1},
        "w",
        "r",
        "t",
        3,
    )


@pytest.mark.parametrize("field", ["task_outlets", "outlet_events"])
@pytest.mark.parametrize("value", [{}, "x", ["x"], [1]])
def test_outlets_of_another_form_are_422_and_the_attempt_goes_on(field: str, value: Any):
    asking = worker([A("a")])
    assert asking.state(**{field: value}).status_code == 422
    assert asking.row().state == "running"


# ------------------------------------------------------------------------------------------------ events


def test_events_are_read_by_asset_in_order_within_a_time_and_a_limit():
    asking = worker([A("a", uri="s3://a/k")])
    events = [happen("a", n=number) for number in range(4)]
    found = get(asking, "asset-events/by-asset", name="a", uri="s3://a/k").json()["asset_events"]
    assert [event["extra"]["n"] for event in found] == [0, 1, 2, 3]
    assert found[0]["asset"] == {"name": "a", "uri": "s3://a/k", "group": "asset", "extra": {}}
    assert found[0]["created_dagruns"] == []
    newest = get(asking, "asset-events/by-asset", name="a", uri="", ascending="false", limit=2).json()["asset_events"]
    assert [event["extra"]["n"] for event in newest] == [3, 2]
    between = {"after": events[1].timestamp.isoformat(), "before": events[2].timestamp.isoformat()}
    found = get(asking, "asset-events/by-asset", uri="s3://a/k", name="", **between).json()["asset_events"]
    assert [event["extra"]["n"] for event in found] == [1, 2]


def test_neither_name_nor_uri_is_400():
    assert get(worker(), "asset-events/by-asset", name="", uri="").status_code == 400


def test_events_that_came_through_an_alias_are_read_by_its_name():
    asking = worker([A("a"), Alias("al")])
    happen("a", n=1)
    happen("a", n=2, aliases=["al"])
    found = get(asking, "asset-events/by-asset-alias", name="al").json()["asset_events"]
    assert [event["extra"]["n"] for event in found] == [2]
    assert [asset["name"] for asset in get(asking, "assets/by-alias", alias_name="al").json()] == ["a"]
    assert get(asking, "assets/by-alias", alias_name="unknown").json() == []


def test_an_event_names_the_runs_that_took_it_and_an_older_version_no_partition_key():
    asking = worker([A("a")])
    dag = stored("d", A("a"))
    event = happen("a")
    run = run_from_events(dag.dag_id, now=event.timestamp).run
    (found,) = get(asking, "asset-events/by-asset", name="a", uri="a").json()["asset_events"]
    (created,) = found["created_dagruns"]
    assert (created["dag_id"], created["run_id"], created["start_date"], created["partition_key"]) == (
        "d",
        run.run_id,
        found["timestamp"],
        None,
    )
    (old,) = get(asking, "asset-events/by-asset", "2025-11-05", name="a", uri="a").json()["asset_events"]
    assert "partition_key" not in old and "partition_key" not in old["created_dagruns"][0]
    assert old["created_dagruns"][0]["start_date"] == old["timestamp"]


def test_assets_are_read_by_name_and_by_uri_while_they_are_active():
    asking = worker([A("a", uri="s3://a/k", group="g", extra={"e": 1})])
    expected = {"name": "a", "uri": "s3://a/k", "group": "g", "extra": {"e": 1}}
    assert get(asking, "assets/by-name", name="a").json() == expected
    assert get(asking, "assets/by-uri", uri="s3://a/k").json() == expected
    Asset.objects.update(is_active=False)
    answer = get(asking, "assets/by-name", name="a")
    assert (answer.status_code, answer.json()["detail"]["reason"]) == (404, "not_found")


# ------------------------------------------------------------------------------------------------ the run


def test_a_run_brings_the_events_that_it_has_consumed():
    dag = stored("d", A("a", uri="s3://a/k"))
    happen("a", n=1, aliases=["al"])
    run = run_from_events(dag.dag_id, now=AssetEvent.objects.get().timestamp).run
    DagRun.objects.filter(pk=run.pk).update(state="running")
    context = Worker(make_ti(run)).run().json()
    (event,) = context["dag_run"]["consumed_asset_events"]
    assert event["asset"] == {"name": "a", "uri": "s3://a/k", "extra": {}}
    assert (event["source_aliases"], event["extra"], event["partition_key"]) == ([{"name": "al"}], {"n": 1}, None)


def test_a_run_that_no_asset_has_triggered_asks_for_no_events(django_assert_max_num_queries: Any):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    asking = worker(state="queued")
    with CaptureQueriesContext(connection) as queries:
        assert asking.run().json()["dag_run"]["consumed_asset_events"] == []
    assert not [query for query in queries.captured_queries if "asset" in query["sql"].lower()]


# ------------------------------------------------------------------------------------------------ inactive assets


def test_inlets_and_outlets_that_are_not_active_are_named():
    asking = worker([A("a"), A("b", uri="s3://b/k")], [A("c"), Alias("al"), A.ref(name="unknown")])
    path = asking.path("validate-inlets-and-outlets")
    assert get(asking, path).json() == {"inactive_assets": []}
    Asset.objects.filter(name="b").update(is_active=False)
    assert get(asking, path).json() == {"inactive_assets": [{"name": "b", "uri": "s3://b/k", "type": "Asset"}]}
