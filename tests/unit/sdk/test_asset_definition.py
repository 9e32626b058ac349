"""Names, URIs and references of assets as in Airflow 3.3.2, whose answers to the same questions these are."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.sdk.decorators import task
from orchestrator.sdk.definitions.asset import Asset, AssetAlias
from orchestrator.sdk.definitions.asset_decorator import asset
from orchestrator.sdk.definitions.asset_timetables import PartitionedAssetTimetable
from orchestrator.sdk.definitions.contexts import DagContext
from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.partition_mappers import IdentityMapper, StartOfDayMapper


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("orders", "orders"),
        ("s3://b/k", "s3://b/k"),
        ("S3://B/K/", "s3://B/K"),
        ("s3://b", "s3://b/"),
        ("https://h", "https://h/"),
        ("https://h/?b=2&a=1", "https://h/?a=1&b=2"),
        ("s3://b/k?z=1&a=2#part", "s3://b/k?a=2&z=1"),
        ("file:x", "file:///x"),
        ("file:///x/", "file:///x"),
        ("file://x", "file://x/"),
        ("s3://", "s3:/"),
        ("//host/path", "//host/path"),
        ("x-own://A/", "x-own://A/"),
        ("http://u@h/x", "http://u@h/x"),
    ],
)
def test_a_uri_is_stored_in_the_form_that_airflow_gives_it(given: str, stored: str):
    assert (Asset(given).name, Asset(given).uri) == (given, stored)


def test_a_password_is_left_out_of_a_uri_with_a_warning():
    with pytest.warns(UserWarning, match="should hold no password") as seen:
        assert Asset("http://u:p@h:80/x").uri == "http://h:80/x"
    assert seen[0].filename == __file__


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": " "}, "Asset name cannot be just whitespace"),
        ({"name": "a", "uri": ""}, "Asset uri cannot be empty"),
        ({"name": "a", "group": " "}, "Asset group cannot be just whitespace"),
        ({"name": "airflow://x"}, "Asset scheme 'airflow' is reserved"),
    ],
)
def test_what_names_nothing_is_refused(arguments: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        Asset(**arguments)
    with pytest.raises(ValueError, match="AssetAlias name cannot be empty"):
        AssetAlias("")


def test_references_to_the_same_asset_are_equal_and_say_what_they_mean():
    by_name, by_uri = Asset.ref(name="a"), Asset.ref(uri="s3://b/k")
    assert (by_name, len({by_name, Asset.ref(name="a"), by_uri})) == (Asset.ref(name="a"), 2)
    assert repr([by_name, by_uri]) == "[AssetNameRef(name='a'), AssetUriRef(uri='s3://b/k')]"
    with pytest.raises(TypeError, match="the argument name or the argument uri, not both"):
        Asset.ref(name="a", uri="b")


def test_a_schedule_of_no_assets_is_a_dag_without_runs():
    assert DAG("d", schedule=[]).timetable.asset_condition == {"type": "asset_all", "objects": []}
    with pytest.raises(ValueError, match="takes a list of assets only"):
        DAG("d", schedule=[Asset("a"), "@daily"])


def test_an_empty_group_stays_empty():
    assert (Asset("a", group="").group, Asset("a").group) == ("", "asset")


def test_a_task_decorator_below_asset_keeps_its_operator_and_arguments(monkeypatch):
    monkeypatch.setattr(DagContext, "autoregistered_dags", {})

    @asset(schedule=None)
    @task.bash(retries=2)
    def report():
        return "echo"

    @asset.multi(schedule=None, outlets=[Asset("m1"), Asset("m2")])
    @task
    def both(): ...

    made = {dag.dag_id: next(iter(dag.task_dict.values())) for dag, _ in DagContext.autoregistered_dags}
    assert type(made["report"]).__name__ == "_BashDecoratedOperator"
    assert (made["report"].retries, [outlet.name for outlet in made["report"].outlets]) == (2, ["report"])
    assert ([outlet.name for outlet in made["both"].outlets], both.name) == (["m1", "m2"], "both")
    with pytest.raises(TypeError, match="its outlet is the asset"):
        asset(schedule=None)(task(outlets=[Asset("a")])(report._function.function))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PartitionedAssetTimetable([Asset("a")]), "takes an asset, or several joined by & and |"),
        (lambda: PartitionedAssetTimetable(Asset("a"), {"a": IdentityMapper()}), "maps assets to partition mappers, not 'a'"),
        (lambda: PartitionedAssetTimetable(Asset("a"), {}, "x"), "default_partition_mapper takes a partition mapper, not 'x'"),
        (lambda: StartOfDayMapper(timezone="Nowhere/X"), "unknown time zone 'Nowhere/X'"),
    ],
)
def test_a_partitioned_schedule_that_cannot_work_is_refused_where_it_is_written(make: Any, words: str):
    with pytest.raises((TypeError, ValueError), match=words):
        make()
