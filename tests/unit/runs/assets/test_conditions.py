"""Whether asset conditions are met (C23)."""

from __future__ import annotations

from orchestrator.sdk.definitions.asset import Asset, AssetAlias, AssetAll, AssetAny
from runs.assets.conditions import Names, is_met

A, B, C = Asset("a"), Asset("b", uri="s3://b/k"), Asset("c")
KEYS = {"a": ("a", "a"), "b": ("b", "s3://b/k"), "c": ("c", "c")}


def met(condition: object, *ready: str, names: Names | None = None) -> bool:
    return is_met(condition.serialize(), {KEYS[name] for name in ready}, names or Names())  # type: ignore[attr-defined]


def test_all_needs_each_and_any_needs_one():
    assert [met(A & B, "a"), met(A & B, "a", "b"), met(A | B, "b"), met(A | B, "c")] == [False, True, True, False]


def test_conditions_nest():
    nested = AssetAny(A, AssetAll(B, C))
    assert [met(nested, "b"), met(nested, "b", "c"), met(nested, "a")] == [False, True, True]


def test_name_and_uri_both_count():
    assert not is_met(Asset("b", uri="s3://other/k").serialize(), {KEYS["b"]}, Names())


def test_an_empty_condition_is_never_met():
    assert not met(AssetAll()) and not met(AssetAny(), "a")


def test_an_alias_stands_for_the_assets_that_it_was_bound_to():
    alias = AssetAlias("x")
    bound = Names(by_alias={"x": [KEYS["a"], KEYS["c"]]})
    assert [met(alias, "a"), met(alias, "a", names=bound), met(alias, "b", names=bound)] == [False, True, False]


def test_references_by_name_and_by_uri_mean_the_active_asset():
    names = Names(by_name={"b": KEYS["b"]}, by_uri={"s3://b/k": KEYS["b"]})
    assert met(Asset.ref(name="b"), "b", names=names)
    assert met(Asset.ref(uri="s3://b/k"), "b", names=names)
    assert not met(Asset.ref(name="a"), "a", names=names)
