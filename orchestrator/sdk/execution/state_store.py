"""Decides how a task keeps values between its attempts, and beside its assets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

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


class TaskStateStoreAccessor:
    """``task_state_store``: values that a retry of the task finds again."""

    def __init__(self, ti_id: str) -> None:
        self._ti_id = ti_id

    def get(self, key: str, default: Json = None) -> Json:
        """Return the value, or ``default``."""
        return _get({"type": "GetTaskStateStore", "ti_id": self._ti_id, "key": key}, "TASK_STORE_NOT_FOUND", default)

    def set(self, key: str, value: Json, *, retention: timedelta | None = None) -> None:
        """Keep the value, for ``retention`` or as long as the configuration says."""
        if retention == NEVER_EXPIRE:
            retention = None
        expires = (datetime.now(UTC) + retention).isoformat() if retention is not None else None
        ask({"type": "SetTaskStateStore", "ti_id": self._ti_id, "key": key, "value": value, "expires_at": expires})

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


class AssetStateStoreAccessor:
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


class AssetStateStoreAccessors:
    """``asset_state_store``: values beside the task's assets; with one asset it may be used directly."""

    def __init__(self, assets: Sequence[Any]) -> None:
        self._accessors = {
            (getattr(asset, "name", None), getattr(asset, "uri", None)): AssetStateStoreAccessor(
                getattr(asset, "name", None), getattr(asset, "uri", None)
            )
            for asset in assets
            if getattr(asset, "name", None) or getattr(asset, "uri", None)
        }

    def __getitem__(self, asset: Any) -> AssetStateStoreAccessor:
        return self._accessors[(getattr(asset, "name", None), getattr(asset, "uri", None))]

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
