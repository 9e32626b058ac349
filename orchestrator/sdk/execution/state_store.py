"""Decides how a task keeps values between its attempts, and beside its assets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

from orchestrator.sdk.definitions.asset import Asset, AssetAlias, AssetNameRef, AssetUriRef
from orchestrator.sdk.definitions.state_store import NEVER_EXPIRE
from orchestrator.sdk.exceptions import AirflowRuntimeError
from orchestrator.sdk.execution.channel import Message, ask

Json = Any


def _get(message: Message, missing: str, default: Json) -> Json:
    try:
        return ask(message).get("value")
    except AirflowRuntimeError as error:
        if getattr(getattr(error.error, "error", None), "value", None) == missing:
            return default
        raise


class _Awaitable:
    """The same in a coroutine: the event loop goes on while the supervisor answers."""

    async def aget(self, key: str, default: Json = None) -> Json:
        """As ``get``."""
        return await asyncio.to_thread(self.get, key, default)  # type: ignore[attr-defined]

    async def aset(self, key: str, value: Json, **options: Any) -> None:
        """As ``set``."""
        await asyncio.to_thread(partial(self.set, key, value, **options))  # type: ignore[attr-defined]

    async def adelete(self, key: str) -> None:
        """As ``delete``."""
        await asyncio.to_thread(self.delete, key)  # type: ignore[attr-defined]

    async def aclear(self) -> None:
        """As ``clear``."""
        await asyncio.to_thread(self.clear)  # type: ignore[attr-defined]


class TaskStateStoreAccessor(_Awaitable):
    """``task_state_store``: values that a retry of the task finds again."""

    def __init__(self, ti_id: str) -> None:
        self._ti_id = ti_id

    def get(self, key: str, default: Json = None) -> Json:
        """Return the value, or ``default``."""
        return _get({"type": "GetTaskStateStore", "ti_id": self._ti_id, "key": key}, "TASK_STORE_NOT_FOUND", default)

    def set(self, key: str, value: Json, *, retention: timedelta | None = None) -> None:
        """Keep the value, for ``retention`` or as long as the configuration says."""
        message: Message = {"type": "SetTaskStateStore", "ti_id": self._ti_id, "key": key, "value": value}
        if retention is not None:
            never = retention == NEVER_EXPIRE
            message["expires_at"] = None if never else (datetime.now(UTC) + retention).isoformat()
        ask(message)

    def delete(self, key: str) -> None:
        """Forget the value."""
        ask({"type": "DeleteTaskStateStore", "ti_id": self._ti_id, "key": key})

    def clear(self) -> None:
        """Forget all values of the task."""
        ask({"type": "ClearTaskStateStore", "ti_id": self._ti_id})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TaskStateStoreAccessor) and other._ti_id == self._ti_id

    def __hash__(self) -> int:
        return hash(self._ti_id)

    def __repr__(self) -> str:
        return f"<TaskStateStoreAccessor ti_id={self._ti_id}>"


class AssetStateStoreAccessor(_Awaitable):
    """Values beside one asset."""

    def __init__(self, name: str | None, uri: str | None) -> None:
        self._name, self._uri = name, uri

    def get(self, key: str, default: Json = None) -> Json:
        """Return the value, or ``default``."""
        return _get(self._message("Get", key=key), "ASSET_STORE_NOT_FOUND", default)

    def set(self, key: str, value: Json) -> None:
        """Keep the value."""
        ask(self._message("Set", key=key, value=value))

    def delete(self, key: str) -> None:
        """Forget the value."""
        ask(self._message("Delete", key=key))

    def clear(self) -> None:
        """Forget all values beside the asset."""
        ask(self._message("Clear"))

    def _message(self, verb: str, **fields: Any) -> Message:
        by, where = ("Name", {"name": self._name}) if self._name else ("Uri", {"uri": self._uri})
        return {"type": f"{verb}AssetStateStoreBy{by}", **where, **fields}

    def __repr__(self) -> str:
        return f"<AssetStateStoreAccessor {self.shown}>"

    @property
    def shown(self) -> str:
        """The asset in words."""
        return f"name={self._name!r}" if self._name else f"uri={self._uri!r}"


class AssetStateStoreAccessors(_Awaitable):
    """``asset_state_store``: values beside the task's assets; with one asset it may be used directly."""

    def __init__(self, inlets: Sequence[Any], outlets: Sequence[Any] = ()) -> None:
        self._inlets, self._outlets = list(inlets), list(outlets)

    @cached_property
    def _accessors(self) -> dict[tuple[str, str], AssetStateStoreAccessor]:
        """By name, or by URI for a reference without name; an alias among the inlets stands for its assets of now."""
        found: dict[tuple[str, str], AssetStateStoreAccessor] = {}
        for item in [*self._inlets, *(port for port in self._outlets if not isinstance(port, AssetAlias))]:
            for asset in _behind(item) if isinstance(item, AssetAlias) else [item]:
                if isinstance(asset, Asset | AssetNameRef | AssetUriRef):
                    found.setdefault(_place(asset), _accessor(asset))
        return found

    def __getitem__(self, asset: Any) -> AssetStateStoreAccessor:
        if not isinstance(asset, Asset | AssetNameRef | AssetUriRef):
            raise TypeError(f"Expected Asset, AssetNameRef, or AssetUriRef; got {type(asset).__name__}")
        if _place(asset) not in self._accessors:
            raise KeyError(f"{asset!r} is not in this task's inlets or outlets")
        return self._accessors[_place(asset)]

    def _single(self) -> AssetStateStoreAccessor:
        if len(self._accessors) != 1:
            raise ValueError(f"The task has {len(self._accessors)} assets; say which one: asset_state_store[asset].")
        return next(iter(self._accessors.values()))

    def get(self, key: str, default: Json = None) -> Json:
        """Return the value beside the task's only asset, or ``default``."""
        return self._single().get(key, default)

    def set(self, key: str, value: Json) -> None:
        """Keep the value beside the task's only asset."""
        self._single().set(key, value)

    def delete(self, key: str) -> None:
        """Forget the value beside the task's only asset."""
        self._single().delete(key)

    def clear(self) -> None:
        """Forget all values beside the task's only asset."""
        self._single().clear()

    def __repr__(self) -> str:
        return f"<AssetStateStoreAccessors [{', '.join(accessor.shown for accessor in self._accessors.values())}]>"


def _place(asset: Asset | AssetNameRef | AssetUriRef) -> tuple[str, str]:
    return ("uri", asset.uri) if isinstance(asset, AssetUriRef) else ("name", asset.name)


def _accessor(asset: Asset | AssetNameRef | AssetUriRef) -> AssetStateStoreAccessor:
    return (
        AssetStateStoreAccessor(None, asset.uri) if isinstance(asset, AssetUriRef) else AssetStateStoreAccessor(asset.name, None)
    )


def _behind(alias: AssetAlias) -> list[Asset]:
    found = ask({"type": "GetAssetsByAlias", "alias_name": alias.name}).get("assets") or ()
    return [Asset(asset["name"], asset["uri"]) for asset in found]
