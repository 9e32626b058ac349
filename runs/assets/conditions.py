"""Decides whether the asset condition of a schedule is met; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any
AssetKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """What the names in a condition stand for now: active assets by name and by URI, and the assets behind aliases."""

    by_name: Mapping[str, AssetKey] = field(default_factory=dict)
    by_uri: Mapping[str, AssetKey] = field(default_factory=dict)
    by_alias: Mapping[str, Collection[AssetKey]] = field(default_factory=dict)


def is_met(condition: Json, ready: Collection[AssetKey], names: Names) -> bool:
    """Return whether the assets in ``ready`` (name and URI) meet a condition; a form that nobody knows is never met."""
    kind = condition.get("type") if isinstance(condition, dict) else None
    if kind == "asset_all":
        # An empty condition would be met at once and for ever.
        return bool(condition["objects"]) and all(is_met(item, ready, names) for item in condition["objects"])
    if kind == "asset_any":
        return any(is_met(item, ready, names) for item in condition["objects"])
    return any(key in ready for key in keys_of(condition, names))


def keys_of(leaf: Json, names: Names) -> Collection[AssetKey]:
    """Return the assets that one asset, alias or reference means now."""
    kind = leaf.get("type") if isinstance(leaf, dict) else None
    if kind == "asset":
        return [(leaf["name"], leaf["uri"])]
    if kind == "asset_alias":
        return names.by_alias.get(leaf["name"], ())
    if kind == "asset_ref":
        key = names.by_name.get(leaf["name"]) if leaf.get("name") else names.by_uri.get(leaf.get("uri", ""))
        return [key] if key else []
    return []
