"""Decides how a task reads and writes events of its assets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, overload

from orchestrator.sdk.definitions.asset import Asset, AssetAlias, AssetNameRef, AssetRef, AssetUniqueKey, AssetUriRef
from orchestrator.sdk.exceptions import AirflowRuntimeError
from orchestrator.sdk.execution.asset_event_facts import AssetEventResult, event_from_json
from orchestrator.sdk.execution.channel import Message, ask
from orchestrator.sdk.execution.event_extras import plain_extra

_KINDS = (Asset, AssetNameRef, AssetUriRef, AssetAlias)
_KEY_LENGTH = 250
_EXTRAS = ("extra", "dest_asset_extra")

Key = AssetUniqueKey | str
"""What stands for an asset (name and URI), or for an alias (its name)."""


def profiles(ports: Sequence[Any]) -> list[dict[str, Any]]:
    """Return name, URI and kind of the assets among inlets or outlets; a sub-class of Asset is an Asset to the server."""
    found = [(kind, port) for port in ports for kind in _KINDS if isinstance(port, kind)]
    return [
        {"name": getattr(port, "name", None), "uri": getattr(port, "uri", None), "type": kind.__name__} for kind, port in found
    ]


def key_of(asset: Any) -> Key:
    """Return what stands for an asset in a mapping; a reference is looked up in the server.

    Raises ``TypeError`` for what is no asset, and ``AirflowRuntimeError`` for a reference to an unknown one.
    """
    if isinstance(asset, Asset):
        return AssetUniqueKey(asset.name, asset.uri)
    if isinstance(asset, AssetAlias):
        return asset.name
    if isinstance(asset, AssetRef):
        found = _meant(asset)
        return AssetUniqueKey(found["name"], found["uri"])
    raise TypeError(f"Key should be either an asset or an asset alias, not {type(asset)}")


def _meant(reference: AssetRef) -> Message:
    if isinstance(reference, AssetNameRef):
        return ask({"type": "GetAssetByName", "name": reference.name})
    return ask({"type": "GetAssetByUri", "uri": getattr(reference, "uri", "")})


def asset_named(name: str) -> Asset:
    """Return the active asset with a name, as the server knows it; one that it does not know has the name for its URI."""
    try:
        found = _meant(AssetNameRef(name))
    except AirflowRuntimeError:
        return Asset(name)
    return Asset(found["name"], found["uri"], group=found.get("group"), extra=found.get("extra"))


def _refers(reference: Any, asset: Any) -> bool:
    """Whether a reference means an asset, as far as both say."""
    if isinstance(reference, AssetNameRef):
        return bool(reference.name == getattr(asset, "name", None))
    return isinstance(reference, AssetUriRef) and bool(reference.uri == getattr(asset, "uri", None))


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, AssetRef) and isinstance(other, AssetRef) and one.serialize() == other.serialize()


class _ByName:
    """The ways to name an asset without the object."""

    def for_asset(self, *, name: str | None = None, uri: str | None = None) -> Any:
        """Return what belongs to the asset with this name, this URI, or both."""
        if name and uri:
            return self[Asset(name=name, uri=uri)]  # type: ignore[index]
        if name or uri:
            return self[Asset.ref(name=name) if name else Asset.ref(uri=uri or "")]  # type: ignore[index]
        raise ValueError("name and uri cannot both be None")

    def for_asset_alias(self, *, name: str) -> Any:
        """Return what belongs to the alias."""
        return self[AssetAlias(name=name)]  # type: ignore[index]


@dataclass(frozen=True)
class AssetAliasEvent:
    """What an alias means this time: an asset, and what is noted about the event."""

    source_alias_name: str
    dest_asset_key: AssetUniqueKey
    dest_asset_extra: dict[str, Any]
    extra: dict[str, Any]

    def for_report(self) -> dict[str, Any]:
        """Return the event as the success report carries it."""
        return {**vars(self), "dest_asset_key": _as_dict(self.dest_asset_key)}


class OutletEventAccessor:
    """The event that this task writes for one asset: ``extra`` and, for an alias, the assets behind it."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.extra: dict[str, Any] = {}
        self.asset_alias_events: list[AssetAliasEvent] = []
        self.partition_keys: set[str] = set()

    def add(self, asset: Any, extra: dict[str, Any] | None = None) -> None:
        """Say that an alias means ``asset`` this time; for anything but an alias it says nothing."""
        if not isinstance(self.key, str):
            return
        found = key_of(asset)
        if isinstance(found, str):
            raise TypeError(f"An alias stands for assets, not for the alias {found!r}")
        self.asset_alias_events.append(AssetAliasEvent(self.key, found, getattr(asset, "extra", {}), extra or {}))

    def add_partitions(self, keys: str | list[str]) -> None:
        """Add keys of partitions that the event is about: one event per key."""
        if isinstance(self.key, str):
            raise TypeError("add_partitions() takes an asset; the events of an alias have no partition keys of their own.")
        wanted = [keys] if isinstance(keys, str) else list(keys)
        for key in wanted:
            if not key.strip():
                raise ValueError(f"partition_key must not be empty or whitespace-only; got {key!r}.")
            if len(key) > _KEY_LENGTH:
                raise ValueError(f"partition_key must be at most {_KEY_LENGTH} characters; got {len(key)}.")
        self.partition_keys.update(wanted)

    def for_report(self) -> Iterator[dict[str, Any]]:
        """Return the events as the success report carries them."""
        if isinstance(self.key, AssetUniqueKey):
            event = {"dest_asset_key": _as_dict(self.key), "extra": self.extra}
            yield from ({**event, "partition_key": key} for key in sorted(self.partition_keys))
            if not self.partition_keys:
                yield event
        yield from (event.for_report() for event in self.asset_alias_events)

    def __repr__(self) -> str:
        return f"OutletEventAccessor(key={self.key!r}, extra={self.extra!r}, asset_alias_events={self.asset_alias_events!r})"


def _as_dict(key: AssetUniqueKey) -> dict[str, str]:
    return {"name": key.name, "uri": key.uri}


class OutletEventAccessors(Mapping[Any, OutletEventAccessor], _ByName):
    """``outlet_events``: one accessor per asset, made when it is first used."""

    def __init__(self) -> None:
        self._dict: dict[Key, OutletEventAccessor] = {}

    def __getitem__(self, asset: Any) -> OutletEventAccessor:
        key = key_of(asset)
        if key not in self._dict:
            self._dict[key] = OutletEventAccessor(key)
        return self._dict[key]

    def __iter__(self) -> Iterator[Any]:
        return (key.to_asset() if isinstance(key, AssetUniqueKey) else AssetAlias(key) for key in self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def __repr__(self) -> str:
        return f"OutletEventAccessors(_dict={self._dict!r})"

    def for_report(self) -> list[dict[str, Any]]:
        """Return the events as the success report carries them; raises ``TypeError`` for an extra that JSON cannot hold."""
        events = [event for accessor in self._dict.values() for event in accessor.for_report()]
        return [event | {name: plain_extra(event[name]) for name in _EXTRAS if name in event} for event in events]


class InletEventsAccessor(Sequence[AssetEventResult]):
    """The events of one inlet, oldest first; asked for when first looked at, and again after a change of the choice."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def after(self, after: Any) -> Self:
        """Choose events at or after a time."""
        return self._chosen(after=after)

    def before(self, before: Any) -> Self:
        """Choose events at or before a time."""
        return self._chosen(before=before)

    def ascending(self, ascending: bool = True) -> Self:
        """Order by time, oldest or newest first."""
        return self._chosen(ascending=ascending)

    def limit(self, limit: int) -> Self:
        """Choose at most so many."""
        return self._chosen(limit=limit)

    def _chosen(self, **choice: Any) -> Self:
        self._message = {
            **self._message,
            **{name: getattr(value, "isoformat", lambda v=value: v)() for name, value in choice.items()},
        }
        self.__dict__.pop("_events", None)
        return self

    @cached_property
    def _events(self) -> list[AssetEventResult]:
        return [event_from_json(event) for event in ask(self._message).get("asset_events") or ()]

    @overload
    def __getitem__(self, index: int) -> AssetEventResult: ...
    @overload
    def __getitem__(self, index: slice) -> list[AssetEventResult]: ...
    def __getitem__(self, index: int | slice) -> AssetEventResult | list[AssetEventResult]:
        return self._events[index]

    def __len__(self) -> int:
        return len(self._events)


class InletEventsAccessors(Mapping[Any, InletEventsAccessor], _ByName):
    """``inlet_events``: the events of the assets and aliases that the task reads, by inlet or by its position."""

    def __init__(self, inlets: Sequence[Any]) -> None:
        self._inlets = list(inlets)
        self._assets = {key_of(item): item for item in inlets if isinstance(item, Asset)}
        self._asset_aliases = {item.name: item for item in inlets if isinstance(item, AssetAlias)}

    def __getitem__(self, asset: Any) -> InletEventsAccessor:
        chosen = self._inlets[asset] if isinstance(asset, int) else asset
        if not isinstance(chosen, _KINDS):
            raise IndexError(asset) if isinstance(asset, int) else TypeError(f"`key` is of unknown type ({type(asset).__name__})")
        self._check(chosen)
        if isinstance(chosen, AssetAlias):
            return InletEventsAccessor({"type": "GetAssetEventByAssetAlias", "alias_name": chosen.name, "name": chosen.name})
        parts = {name: value for name in ("name", "uri") if (value := getattr(chosen, name, None))}
        return InletEventsAccessor({"type": "GetAssetEventByAsset", "name": None, "uri": None, **parts})

    def _check(self, chosen: Any) -> None:
        """A task reads events of its inlets only; an inlet that is a reference stands for the asset with that name or URI."""
        if isinstance(chosen, AssetAlias):
            is_inlet = chosen.name in self._asset_aliases
        elif isinstance(chosen, Asset):
            is_inlet = key_of(chosen) in self._assets or any(_refers(item, chosen) for item in self._inlets)
        else:
            is_inlet = any(_refers(chosen, item) or _same(chosen, item) for item in self._inlets)
        if not is_inlet:
            raise KeyError(chosen)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._inlets)

    def __len__(self) -> int:
        return len(self._inlets)

    def __repr__(self) -> str:
        return f"InletEventsAccessors(_inlets={self._inlets}, _assets={self._assets}, _asset_aliases={self._asset_aliases})"


class TriggeringAssetEventsAccessor(Mapping[Any, Sequence[AssetEventResult]], _ByName):
    """``triggering_asset_events``: the events that started the run, by asset."""

    def __init__(self, events: Mapping[Key, list[AssetEventResult]]) -> None:
        self._events = events

    @classmethod
    def build(cls, events: Sequence[AssetEventResult]) -> TriggeringAssetEventsAccessor:
        """Group the run's events by asset, and by alias too."""
        grouped: dict[Key, list[AssetEventResult]] = defaultdict(list)
        for event in events:
            grouped[AssetUniqueKey(event.asset.name, event.asset.uri)].append(event)
            for alias in event.source_aliases:
                grouped[alias.name].append(event)
        return cls(grouped)  # Airflow gives an empty list for an asset without events

    def __getitem__(self, asset: Any) -> Sequence[AssetEventResult]:
        return self._events[key_of(asset)]

    def __iter__(self) -> Iterator[Any]:
        return (key.to_asset() if isinstance(key, AssetUniqueKey) else AssetAlias(key) for key in self._events)

    def __len__(self) -> int:
        return len(self._events)

    def __repr__(self) -> str:
        return f"TriggeringAssetEventAccessor(_events={self._events})"
