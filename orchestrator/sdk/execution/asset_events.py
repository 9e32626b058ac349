"""Decides how a task reads and writes events of its assets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.sdk.definitions.asset import AssetUniqueKey
from orchestrator.sdk.execution.channel import ask


def key_of(asset: Any) -> Any:
    """Return what stands for the asset in a mapping: name and URI, or the name of an alias or reference."""
    if hasattr(asset, "name") and hasattr(asset, "uri"):
        return AssetUniqueKey(asset.name, asset.uri)
    return getattr(asset, "name", None) or getattr(asset, "uri", None) or asset


def _as_dict(key: AssetUniqueKey) -> dict[str, str]:
    return {"name": key.name, "uri": key.uri}


class OutletEventAccessor:
    """The event that this task writes for one asset: ``extra`` and, for an alias, the assets behind it."""

    def __init__(self, key: Any) -> None:
        self.key = key
        self.extra: dict[str, Any] = {}
        self.asset_alias_events: list[dict[str, Any]] = []
        self.partition_keys: list[str] = []

    def add(self, asset: Any, extra: dict[str, Any] | None = None) -> None:
        """Say that an alias means ``asset`` this time."""
        event = {"source_alias_name": self.key, "dest_asset_key": key_of(asset), "dest_asset_extra": getattr(asset, "extra", {})}
        self.asset_alias_events.append({**event, "extra": extra or {}})

    def add_partitions(self, keys: str | list[str]) -> None:
        """Add keys of partitions that the event is about."""
        self.partition_keys += [keys] if isinstance(keys, str) else list(keys)

    def __repr__(self) -> str:
        return f"OutletEventAccessor(key={self.key!r}, extra={self.extra!r}, asset_alias_events={self.asset_alias_events!r})"


class OutletEventAccessors(Mapping[Any, OutletEventAccessor]):
    """``outlet_events``: one accessor per asset, made when it is first used."""

    def __init__(self) -> None:
        self._dict: dict[Any, OutletEventAccessor] = {}

    def __getitem__(self, asset: Any) -> OutletEventAccessor:
        key = key_of(asset)
        if key not in self._dict:
            self._dict[key] = OutletEventAccessor(key)
        return self._dict[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def __repr__(self) -> str:
        return f"OutletEventAccessors(_dict={self._dict!r})"

    def for_report(self) -> list[dict[str, Any]]:
        """Return the events as the success report carries them."""
        events: list[dict[str, Any]] = []
        for key, accessor in self._dict.items():
            if accessor.asset_alias_events:
                for event in accessor.asset_alias_events:
                    destination = event["dest_asset_key"]
                    shown = _as_dict(destination) if isinstance(destination, AssetUniqueKey) else {"name": destination}
                    events.append({**event, "dest_asset_key": shown})
            elif isinstance(key, AssetUniqueKey):
                events.append(
                    {"dest_asset_key": _as_dict(key), "extra": accessor.extra, "partition_keys": accessor.partition_keys}
                )
        return events


class InletEventsAccessors(Mapping[Any, Sequence[Any]]):
    """``inlet_events``: the events of the assets that the task reads, oldest first, asked for when looked at."""

    def __init__(self, inlets: Sequence[Any]) -> None:
        self._inlets = list(inlets)
        self._assets = {key_of(asset): asset for asset in inlets if hasattr(asset, "uri")}
        self._asset_aliases = {key_of(asset): asset for asset in inlets if not hasattr(asset, "uri")}

    def __getitem__(self, asset: Any) -> Sequence[Any]:
        chosen = self._inlets[asset] if isinstance(asset, int) else asset
        key = key_of(chosen)
        if isinstance(key, AssetUniqueKey):
            message = {"type": "GetAssetEventByAsset", "name": key.name, "uri": key.uri}
        else:
            message = {"type": "GetAssetEventByAssetAlias", "alias_name": key, "name": key}
        return list(ask(message).get("asset_events") or [])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._inlets)

    def __len__(self) -> int:
        return len(self._inlets)

    def __repr__(self) -> str:
        return f"InletEventsAccessors(_inlets={self._inlets}, _assets={self._assets}, _asset_aliases={self._asset_aliases})"


class TriggeringAssetEventsAccessor(Mapping[Any, Sequence[Any]]):
    """``triggering_asset_events``: the events that started the run, by asset."""

    def __init__(self, events: defaultdict[Any, list[Any]]) -> None:
        self._events = events

    @classmethod
    def build(cls, events: Sequence[Any]) -> TriggeringAssetEventsAccessor:
        """Group the run's events by asset, and by alias too."""
        grouped: defaultdict[Any, list[Any]] = defaultdict(list)
        for event in events:
            grouped[AssetUniqueKey(event.asset["name"], event.asset["uri"])].append(event)
            for alias in event.source_aliases:
                grouped[alias["name"]].append(event)
        return cls(grouped)

    def __getitem__(self, asset: Any) -> Sequence[Any]:
        return self._events[key_of(asset)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def __repr__(self) -> str:
        return f"TriggeringAssetEventAccessor(_events={self._events})"
