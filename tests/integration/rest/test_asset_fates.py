"""What has become of an event for each consumer, and that nothing is said of runs that do not exist (C23-c)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from dags_app.models import Dag
from orchestrator.sdk.definitions.asset import Asset as A
from orchestrator.sdk.definitions.asset_timetables import PartitionedAssetTimetable
from orchestrator.sdk.definitions.partition_mappers import (
    AllowedKeyMapper,
    FixedKeyMapper,
    MinimumCount,
    RollupMapper,
    SegmentWindow,
    StartOfDayMapper,
)
from runs.assets.deliveries import NO_KEY, NO_PARTITION, OTHER_MAPPERS, SUPERSEDED, UNCOUNTED
from runs.models import AssetEvent, DagRun
from tests.assets import changed, happen, stored
from tests.integration.runs.harness import Rounds

pytestmark = pytest.mark.django_db


def consumers(client: Client, event: AssetEvent) -> dict[str, dict[str, Any]]:
    body = client.get(f"/api/v2/assets/events/{event.pk}/consumers").json()
    assert body["total_entries"] == len(body["consumers"])
    return {f"{row['dag_id']}/{row['partition_key'] or ''}".rstrip("/"): row for row in body["consumers"]}


def test_c23_c_an_event_is_consumed_by_a_run_that_exists_waits_for_a_reason_or_is_superseded(client: Client):
    stored("now", A("a"))
    stored("later", A("a") & A("b"))
    stored("newest", A("a"), event_policy="latest")
    stored("full", A("a"), max_active_runs=0)
    stored("paused", A("a"), is_paused=True)
    stored("none")
    event = happen("a")
    happen("a")
    Rounds().run()
    found = consumers(client, event)
    assert {name: row["state"] for name, row in found.items()} == {
        "full": "waiting",
        "later": "waiting",
        "newest": "superseded",
        "now": "consumed",
        "paused": "waiting",
    }
    run = DagRun.objects.get(dag_id="now")
    assert (found["now"]["dag_run_id"], found["now"]["sentence"]) == (run.run_id, f"Run {run.run_id} of DAG now has it.")
    assert (found["later"]["reason"], found["later"]["blockers"][0]["name"]) == ("assets_missing", "b")
    assert found["full"]["reason"] == "max_active_runs"
    assert found["newest"]["sentence"] == f"No run of DAG newest takes it: {SUPERSEDED}."
    assert found["paused"]["sentence"] == "It starts no run of DAG paused (the consumer was paused); the next run takes it too."
    run.delete()
    assert "now" not in consumers(client, event)  # nothing is said of a run that is not there
    assert {row["dag_run_id"] for row in consumers(client, event).values()} == {None}


def test_c23_c_what_a_pause_left_out_is_superseded_where_no_run_tells_of_it(client: Client):
    stored("d", A("a"), is_paused=True)
    event = happen("a")
    Dag.objects.update(event_policy="each", is_paused=False)
    assert consumers(client, event)["d"]["state"] == "superseded"


def test_c23_c_each_partition_says_what_it_lacks_or_why_it_does_not_count(client: Client):
    rollup = RollupMapper(upstream_mapper=FixedKeyMapper("all"), window=SegmentWindow(["us", "eu", "apac"]))
    two = RollupMapper(
        upstream_mapper=FixedKeyMapper("all"), window=SegmentWindow(["us", "eu", "apac"]), wait_policy=MinimumCount(2)
    )
    stored("rolled", PartitionedAssetTimetable(A("a"), {A("a"): rollup}))
    stored("two", PartitionedAssetTimetable(A.ref(name="a") & A("b"), {A("a"): two}))
    stored("same", PartitionedAssetTimetable(A("a")))
    never = RollupMapper(upstream_mapper=FixedKeyMapper("all"), window=SegmentWindow(["us"]), wait_policy=MinimumCount(2))
    stored("never", PartitionedAssetTimetable(A("a"), {A("a"): never}))
    stored("refuses", PartitionedAssetTimetable(A("a"), {}, AllowedKeyMapper(["mars"])))
    stored("off", PartitionedAssetTimetable(A("a")), is_paused=True)
    event = happen("a", "us")
    happen("a", "eu")
    Rounds().run()
    found = consumers(client, event)
    assert {name: row["state"] for name, row in found.items()} == {
        "never/all": "waiting",
        "off": "superseded",
        "refuses": "superseded",
        "rolled/all": "waiting",
        "same/us": "consumed",
        "two/all": "waiting",
    }
    assert found["rolled/all"]["sentence"] == "Partition 'all' of DAG rolled waits for apac of a."
    assert found["two/all"]["sentence"] == "Partition 'all' of DAG two waits for a key for 'all' of b."
    assert "its wait_policy is never satisfied" in found["never/all"]["sentence"]
    assert found["same/us"]["dag_run_id"] == DagRun.objects.get(partition_key="us").run_id
    assert NO_PARTITION in found["refuses"]["sentence"] and UNCOUNTED in found["off"]["sentence"]
    without = happen("a")
    assert NO_KEY in consumers(client, without)["same"]["sentence"]


def test_c23_c_what_other_mappers_have_made_void_is_said_so(client: Client):
    rollup = RollupMapper(upstream_mapper=FixedKeyMapper("all"), window=SegmentWindow(["us", "eu"]))
    dag = stored("d", PartitionedAssetTimetable(A("a"), {}, rollup))
    event = happen("a", "us")
    changed(dag, PartitionedAssetTimetable(A("a"), {}, StartOfDayMapper()))
    Rounds().run()
    found = consumers(client, event)["d"]
    assert (found["state"], OTHER_MAPPERS in found["sentence"]) == ("superseded", True)


def test_c23_c_an_event_that_is_not_there_is_404(client: Client):
    answer = client.get("/api/v2/assets/events/999/consumers")
    assert (answer.status_code, answer.json()["detail"]) == (404, "The asset event with ID: `999` was not found")
