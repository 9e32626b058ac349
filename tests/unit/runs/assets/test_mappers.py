"""Partition mappers, windows and wait policies against facts recorded from Airflow 3.3.2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.sdk.definitions.partition_mappers import (
    DayWindow,
    FanOutMapper,
    HourWindow,
    IdentityMapper,
    ProductMapper,
    RollupMapper,
    SegmentWindow,
    StartOfDayMapper,
    StartOfHourMapper,
    WeekWindow,
)
from orchestrator.sdk.definitions.partitions.codec import encode
from runs.assets.mappers import downstream_keys, expected_keys, is_complete, most_keys, partition_date

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "mapper_vectors.json").read_text())
ERROR = "ERR"


def answer(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except ValueError:
        return ERROR


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: f"{row['m']['type']}-{row['k']}")
def test_keys_dates_and_completeness_are_airflows(row: dict[str, Any]) -> None:
    mapper = row["m"]
    keys = answer(downstream_keys, mapper, row["k"])
    assert keys == row["down"]
    if "date" in row:
        date = answer(partition_date, mapper, keys[0])
        assert (date if date in (None, ERROR) else date.timestamp()) == row["date"]
    if "up" in row:
        expected = sorted(expected_keys(mapper, keys[0]) or ())
        assert expected == row["up"]
        for number, is_enough in row["sat"]:
            assert is_complete(mapper, keys[0], expected[:number]) is is_enough


def test_keys_that_nobody_expects_do_not_count() -> None:
    mapper = next(row["m"] for row in VECTORS if row["m"]["type"] == "RollupMapper" and "up" in row)
    assert not is_complete(mapper, next(row["down"][0] for row in VECTORS if row["m"] == mapper), ["elsewhere"] * 60)


def test_the_definitions_of_the_authors_half_are_what_the_server_reads() -> None:
    fan_out = encode(FanOutMapper(upstream_mapper=StartOfDayMapper(), window=WeekWindow(), max_downstream_keys=3))
    assert len(downstream_keys(fan_out, "2026-03-09T00:00:00")) == 7
    assert (most_keys(fan_out, 1000), most_keys(encode(StartOfDayMapper()), 1000)) == (3, 1000)


def test_a_product_of_parts_that_fan_out_is_refused() -> None:
    inner = FanOutMapper(upstream_mapper=StartOfDayMapper(), window=WeekWindow())
    with pytest.raises(ValueError, match="must give one key"):
        downstream_keys(encode(ProductMapper(inner, inner)), "2026-03-09T00:00:00|2026-03-09T00:00:00")


def test_a_window_and_a_mapper_that_do_not_go_together_are_refused_when_they_are_written() -> None:
    with pytest.raises(
        TypeError, match="DayWindow takes keys that decode to datetime, and those of IdentityMapper decode to str"
    ):
        RollupMapper(upstream_mapper=IdentityMapper(), window=DayWindow())
    with pytest.raises(ValueError, match="a FanOutMapper over HourWindow needs a downstream_mapper"):
        FanOutMapper(upstream_mapper=StartOfHourMapper(), window=HourWindow())
    with pytest.raises(ValueError, match="SegmentWindow takes one or more texts"):
        SegmentWindow(["us", ""])
    with pytest.raises(ValueError, match="max_downstream_keys must be a positive integer or None, not 0"):
        IdentityMapper(max_downstream_keys=0)
    with pytest.raises(TypeError, match="must override both decode_downstream and encode_upstream"):
        type("Half", (IdentityMapper,), {"decode_downstream": lambda self, key: 1})


def test_a_mapper_of_an_unknown_class_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="OwnMapper"):
        downstream_keys({"type": "OwnMapper"}, "k")
