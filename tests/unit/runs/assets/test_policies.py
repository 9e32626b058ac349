"""Which waiting events make a run under each policy (C23-b)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.sdk.definitions.asset import Asset as A
from orchestrator.sdk.definitions.asset import AssetAlias
from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.serialization.encode import encode_dag
from orchestrator.sdk.serialization.spec import DagSpec, from_json, to_json
from runs.assets.conditions import Names
from runs.assets.policies import WaitingAsset, chosen, due_at, first_match

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def waiting(**oldest: int) -> dict[tuple[str, str], WaitingAsset]:
    """Assets by name, each with its oldest event, which came at as many seconds as its id says, and one ten ids later."""
    return {
        (name, name): WaitingAsset(number, 2, event, event + 10, T0 + timedelta(seconds=event))
        for number, (name, event) in enumerate(oldest.items())
    }


@pytest.mark.parametrize(
    ("condition", "there", "expected"),
    [
        (A("a"), {"a": 3}, [3]),
        (A("a") | A("b"), {"a": 3, "b": 2}, [2]),
        (A("a") & A("b"), {"a": 3}, []),
        (A("a") & A("b"), {"a": 3, "b": 2}, [2, 3]),
        (A("a") & A("b") | A("c"), {"a": 1, "c": 2}, [2]),
        (A("a") & A("b") | A("c"), {"a": 1, "c": 3, "b": 2}, [1, 2]),
        ((A("a") | A("b")) & A("c"), {"a": 1, "b": 2, "c": 3}, [1, 3]),
        (AssetAlias("al"), {"a": 1, "b": 2}, [2]),
        (AssetAlias("nothing"), {"a": 1}, []),
    ],
)
def test_c23_b_the_oldest_events_that_just_meet_the_condition_are_matched(condition: Any, there: Any, expected: list[int]):
    names = Names(by_alias={"al": [("b", "b")]})
    match = first_match(condition.serialize(), waiting(**there), names)
    assert [asset.oldest for asset in match] == expected
    assert chosen("each", match, waiting(**there)) == expected


def test_c23_b_latest_takes_the_newest_of_each_asset_and_the_others_everything():
    there = waiting(b=2, a=1)
    match = list(there.values())
    assert chosen("latest", match, there) == [11, 12]
    assert [chosen(policy, match, there) for policy in ("batch", "window")] == [None, None]


def test_c23_b_the_window_opens_with_the_event_that_completes_the_condition():
    match = first_match((A("a") & A("b")).serialize(), waiting(a=1, b=50), Names())
    assert due_at("window", 60.0, match) == T0 + timedelta(seconds=110)
    assert due_at("batch", None, match) is None


@pytest.mark.parametrize("window", [60, timedelta(minutes=1)])
def test_c23_b_a_dag_names_its_policy_and_the_server_reads_it(window: Any):
    spec = from_json(to_json(encode_dag(DAG("d", schedule=[A("a")], event_policy="window", event_window=window))))
    assert (spec.event_policy, spec.event_window) == ("window", 60.0)
    plain = to_json(encode_dag(DAG("d", schedule=[A("a")])))
    assert not {"event_policy", "event_window"} & plain.keys()  # no new version of a DAG that uses neither
    assert DagSpec("d").event_policy == "batch"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"event_policy": "all"}, "must be one of batch, each, window, latest, not 'all'"),
        ({"event_policy": "window"}, "event_window of DAG 'd' goes with event_policy='window'"),
        ({"event_window": 5}, "event_window of DAG 'd' goes with event_policy='window'"),
        ({"event_policy": "window", "event_window": 0}, "a number of seconds above 0, not 0"),
        ({"event_policy": "window", "event_window": "1 h"}, "must be a timedelta or a number of seconds above 0, not '1 h'"),
    ],
)
def test_c23_b_a_policy_that_makes_no_sense_is_refused_with_what_to_write(arguments: Any, words: str):
    with pytest.raises(ValueError, match=words):
        DAG("d", schedule=[A("a")], **arguments)


def test_c23_b_a_partitioned_schedule_takes_no_policy_because_it_has_a_run_per_key():
    from orchestrator.sdk.definitions.asset_timetables import PartitionedAssetTimetable

    with pytest.raises(ValueError, match="a partitioned schedule has a run per key"):
        DAG("d", schedule=PartitionedAssetTimetable(A("a")), event_policy="each")
