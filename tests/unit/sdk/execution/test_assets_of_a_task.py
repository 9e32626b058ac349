"""What a task reads and says about its assets: events, aliases, Metadata, kept values."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from orchestrator.sdk.definitions.asset import Asset, AssetAlias, Dataset, Metadata
from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.resumable import ResumableJobMixin
from orchestrator.sdk.definitions.state_store import NEVER_EXPIRE
from orchestrator.sdk.execution.asset_event_facts import event_from_json
from orchestrator.sdk.execution.asset_events import (
    InletEventsAccessors,
    OutletEventAccessors,
    TriggeringAssetEventsAccessor,
    asset_named,
    profiles,
)
from orchestrator.sdk.execution.channel import MemoryChannel, set_channel
from orchestrator.sdk.execution.state_store import AssetStateStoreAccessors, TaskStateStoreAccessor
from orchestrator.sdk.execution.yielded import call
from orchestrator.sdk.operators.python import PythonOperator
from tests.attempts import attempt

A, B, ALIAS = Asset("a", uri="s3://a/k"), Asset("b"), AssetAlias("al")
EVENT = {"id": 1, "asset": {"name": "a", "uri": "s3://a/k", "group": "asset", "extra": {}}, "extra": {"n": 1}}
EVENT |= {"timestamp": "2026-01-05T12:00:00Z", "created_dagruns": [], "source_dag_id": "d", "source_run_id": "r"}
EVENT |= {"source_task_id": "t", "source_map_index": -1, "source_aliases": [{"name": "al"}], "news of tomorrow": 1}


@pytest.fixture
def channel() -> Iterator[MemoryChannel]:
    made = MemoryChannel(
        {
            "GetAssetByName": {"type": "AssetResult", "name": "a", "uri": "s3://a/k", "group": "asset", "extra": {}},
            "GetAssetEventByAsset": {"type": "AssetEventsResult", "asset_events": [EVENT]},
            "GetAssetsByAlias": {"type": "AssetsByAliasResult", "assets": [{"name": "a", "uri": "s3://a/k"}]},
            "GetDagRun": {"type": "DagRunResult", "dag_id": "d", "run_id": "r"},
        }
    )
    set_channel(made)
    yield made
    set_channel(None)


def test_the_report_names_each_event_and_one_per_partition() -> None:
    events = OutletEventAccessors()
    events[A].extra["n"] = 1
    events[B].add_partitions(["us", "eu", "us"])
    key = {"name": "b", "uri": "b"}
    assert events.for_report() == [
        {"dest_asset_key": {"name": "a", "uri": "s3://a/k"}, "extra": {"n": 1}},
        {"dest_asset_key": key, "extra": {}, "partition_key": "eu"},
        {"dest_asset_key": key, "extra": {}, "partition_key": "us"},
    ]


def test_an_alias_names_the_assets_that_it_means() -> None:
    events = OutletEventAccessors()
    events[ALIAS].add(Asset("new", uri="s3://new/k", extra={"e": 1}), extra={"n": 1})
    events[A].add(B)  # only an alias stands for others
    assert events.for_report() == [
        {
            "source_alias_name": "al",
            "dest_asset_key": {"name": "new", "uri": "s3://new/k"},
            "dest_asset_extra": {"e": 1},
            "extra": {"n": 1},
        },
        {"dest_asset_key": {"name": "a", "uri": "s3://a/k"}, "extra": {}},
    ]


@pytest.mark.parametrize(("asset", "key", "error"), [(A, " ", ValueError), (A, "x" * 251, ValueError), (ALIAS, "us", TypeError)])
def test_wrong_partition_keys_are_refused_in_the_task(asset: Any, key: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        OutletEventAccessors()[asset].add_partitions(key)


def test_a_reference_means_the_asset_of_the_server(channel: MemoryChannel) -> None:
    events = OutletEventAccessors()
    events[Asset.ref(name="a")].extra["n"] = 1
    assert events.for_report()[0]["dest_asset_key"] == {"name": "a", "uri": "s3://a/k"}
    assert events.for_asset(name="a").extra == {"n": 1}
    assert asset_named("a").uri == "s3://a/k"


def test_what_is_no_asset_has_no_events() -> None:
    with pytest.raises(TypeError, match="asset or an asset alias"):
        OutletEventAccessors()["a"]


def test_events_of_inlets_are_asked_for_when_looked_at(channel: MemoryChannel) -> None:
    inlets = InletEventsAccessors([A, ALIAS])
    chosen = inlets[A].after(datetime(2026, 1, 1, tzinfo=UTC)).ascending(False).limit(1)
    assert channel.messages == []
    assert (len(chosen), chosen[-1].extra, chosen[0].asset.name) == (1, {"n": 1}, "a")
    (asked,) = channel.messages
    assert asked == {
        "type": "GetAssetEventByAsset",
        "name": "a",
        "uri": "s3://a/k",
        "after": "2026-01-01T00:00:00+00:00",
        "ascending": False,
        "limit": 1,
    }
    assert inlets[0][:5][0].timestamp == datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_only_inlets_can_be_read_and_a_reference_counts_for_its_asset(channel: MemoryChannel) -> None:
    with pytest.raises(KeyError):
        InletEventsAccessors([A])[B]
    assert len(InletEventsAccessors([Asset.ref(name="a")])[A]) == 1
    assert len(InletEventsAccessors([A])[Asset.ref(uri="s3://a/k")]) == 1


def test_an_event_leads_to_the_run_and_the_task_that_made_it(channel: MemoryChannel) -> None:
    event = event_from_json(EVENT)
    assert event.source_dag_run.run_id == "r"
    assert (event.source_task_instance.dag_id, event.source_task_instance.task_id) == ("d", "t")
    assert event_from_json({**EVENT, "source_dag_id": None}).source_task_instance is None


def test_triggering_events_are_grouped_by_asset_and_by_alias() -> None:
    events = TriggeringAssetEventsAccessor.build([event_from_json(EVENT)])
    assert len(events) == 2
    assert [events[A][0].extra, events.for_asset_alias(name="al")[0].extra] == [{"n": 1}, {"n": 1}]
    assert {getattr(item, "name", None) for item in events} == {"a", "al"}


def test_sub_classes_are_assets_and_other_outlets_are_left_out() -> None:
    found = profiles([Dataset("ds"), ALIAS, Asset.ref(uri="s3://u/k"), "no asset"])
    assert [(item["type"], item["name"], item["uri"]) for item in found] == [
        ("Asset", "ds", "ds"),
        ("AssetAlias", "al", None),
        ("AssetUriRef", None, "s3://u/k"),
    ]


def test_what_a_function_yields_about_an_asset_is_noted_and_its_result_kept() -> None:
    events = OutletEventAccessors()

    def function(number: int) -> Iterator[Any]:
        yield Metadata(A, {"n": number})
        yield "nothing that anybody knows"
        yield Metadata(B, {"m": 1}, alias=ALIAS)
        return number

    assert call(function, events, 3) == 3
    assert events[A].extra == {"n": 3}
    assert events[ALIAS].asset_alias_events[0].extra == {"m": 1}
    assert call(lambda: 5, events) == 5


# ------------------------------------------------------------------------------------------------ kept values


def test_a_value_of_a_task_says_its_expiry_only_where_its_writer_does(channel: MemoryChannel) -> None:
    store = TaskStateStoreAccessor("ti")
    store.set("default", 1)
    store.set("never", 1, retention=NEVER_EXPIRE)
    store.set("hour", 1, retention=timedelta(hours=1))
    default, never, hour = channel.messages
    assert "expires_at" not in default
    assert never["expires_at"] is None
    assert datetime.fromisoformat(hour["expires_at"]) > datetime.now(UTC)


def test_values_are_awaited_in_coroutines(channel: MemoryChannel) -> None:
    channel.answers = {"GetTaskStateStore": {"type": "TaskStateStoreResult", "value": 7}}

    async def work() -> Any:
        store = TaskStateStoreAccessor("ti")
        await store.aset("k", 7, retention=NEVER_EXPIRE)
        await store.aclear()
        return await store.aget("k")

    assert asyncio.run(work()) == 7
    assert [message["type"] for message in channel.messages] == ["SetTaskStateStore", "ClearTaskStateStore", "GetTaskStateStore"]


def test_values_beside_assets_need_no_name_where_there_is_one_asset(channel: MemoryChannel) -> None:
    AssetStateStoreAccessors([A], [A]).set("k", 1)
    AssetStateStoreAccessors([ALIAS]).set("k", 2)  # an alias among the inlets stands for its assets
    assert [m["name"] for m in channel.of_type("SetAssetStateStoreByName")] == ["a", "a"]
    both = AssetStateStoreAccessors([A], [B])
    with pytest.raises(ValueError, match="2 assets"):
        both.get("k")
    with pytest.raises(KeyError, match="not in this task's"):
        both[Asset("c")]
    with pytest.raises(TypeError):
        both[ALIAS]


# ------------------------------------------------------------------------------------------------ resumable jobs


class Job(ResumableJobMixin):
    """A job of a system that the test plays."""

    def __init__(self, status: str, durable: bool = True) -> None:
        super().__init__(durable=durable)
        self.status, self.calls = status, []

    def submit_job(self, context: Any) -> Any:
        self.calls.append("submit")
        return "new"

    def get_job_status(self, external_id: Any, context: Any) -> str:
        return self.status

    def is_job_active(self, status: str) -> bool:
        return status == "active"

    def is_job_succeeded(self, status: str) -> bool:
        return status == "done"

    def poll_until_complete(self, external_id: Any, context: Any) -> None:
        self.calls.append(f"wait {external_id}")

    def get_job_result(self, external_id: Any, context: Any) -> Any:
        return f"result of {external_id}"


@pytest.mark.parametrize(
    ("kept", "status", "calls", "result"),
    [
        (None, "active", ["submit", "wait new"], "result of new"),
        ("old", "active", ["wait old"], "result of old"),
        ("old", "done", [], "result of old"),
        ("old", "failed", ["submit", "wait new"], "result of new"),
    ],
)
def test_c25_e_a_retry_waits_for_the_job_of_an_earlier_try_and_does_not_submit_it_again(
    channel: MemoryChannel, kept: str | None, status: str, calls: list[str], result: str
) -> None:
    missing = {"type": "ErrorResponse", "error": "TASK_STORE_NOT_FOUND", "detail": {"key": "remote_job_id"}}
    channel.answers = {"GetTaskStateStore": missing if kept is None else {"type": "TaskStateStoreResult", "value": kept}}
    job = Job(status)
    assert job.execute_resumable({"task_state_store": TaskStateStoreAccessor("ti")}) == result
    assert job.calls == calls
    assert [message["value"] for message in channel.of_type("SetTaskStateStore")] == (["new"] if "submit" in calls else [])


def test_c25_e_a_job_that_is_not_durable_is_submitted_each_time(channel: MemoryChannel) -> None:
    job = Job("active", durable=False)
    job.execute_resumable({"task_state_store": TaskStateStoreAccessor("ti")})
    assert job.calls == ["submit", "wait new"] and channel.messages == []


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"a": datetime(2026, 1, 1)}, {"a": "2026-01-01T00:00:00"}),
        ({"a": [float("nan"), float("inf"), 1.5]}, {"a": [None, None, 1.5]}),
        ({1: (2, {3}), "d": Decimal("1.50"), "n": None, "b": True}, {"1": [2, [3]], "d": "1.50", "n": None, "b": True}),
    ],
)
def test_the_extra_of_an_event_is_written_as_plain_json(given: Any, written: Any) -> None:
    events = OutletEventAccessors()
    events[A].extra = given
    events[ALIAS].add(A, extra=given)
    assert [event["extra"] for event in events.for_report()] == [written, written]


def test_an_extra_that_json_cannot_hold_fails_the_task() -> None:
    with DAG("d", schedule=None) as dag:
        PythonOperator(task_id="t", python_callable=lambda outlet_events: outlet_events[A].extra.update(o=object()), outlets=[A])
    assert "which JSON cannot hold" in attempt(dag, "t").final["evidence"]["cause_detail"]
