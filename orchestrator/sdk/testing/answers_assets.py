"""Decides which asset events and kept values a task of a run in memory sees, and what its success adds."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.execution.channel import Message
from orchestrator.sdk.testing.clock import TravelClock
from orchestrator.sdk.testing.store import Store, TaskResult


class AssetAnswers:
    """Answers about assets, from the store."""

    store: Store
    instance: TaskResult
    clock: TravelClock

    def _GetAssetEventByAsset(self, message: Message) -> Message:
        wanted = {name: message[name] for name in ("name", "uri") if message.get(name) is not None}
        found = [e for e in self.store.asset_events if all(e["asset"][name] == value for name, value in wanted.items())]
        return {"type": "AssetEventsResult", "asset_events": _cut(found, message)}

    def _GetAssetEventByAssetAlias(self, message: Message) -> Message:
        name = message.get("alias_name") or message["name"]
        found = [e for e in self.store.asset_events if name in [alias["name"] for alias in e["source_aliases"]]]
        return {"type": "AssetEventsResult", "asset_events": _cut(found, message)}

    def _GetAssetByName(self, message: Message) -> Message:
        return {"type": "AssetResult", "name": message["name"], "uri": message["name"], "group": "asset", "extra": {}}

    def _GetAssetByUri(self, message: Message) -> Message:
        return {"type": "AssetResult", "name": message["uri"], "uri": message["uri"], "group": "asset", "extra": {}}

    def _GetAssetsByAlias(self, message: Message) -> Message:
        answer = self._GetAssetEventByAssetAlias(message)
        assets = {(e["asset"]["name"], e["asset"]["uri"]): e["asset"] for e in answer["asset_events"]}
        return {"type": "AssetsByAliasResult", "assets": list(assets.values())}

    def _kept_beside(self, message: Message) -> dict[str, Any]:
        return self.store.asset_values.setdefault(message.get("name") or message["uri"], {})

    def _GetAssetStateStoreByName(self, message: Message) -> Message:
        kept = self._kept_beside(message)
        if message["key"] not in kept:
            return {"type": "ErrorResponse", "error": "ASSET_STORE_NOT_FOUND", "detail": {"key": message["key"]}}
        return {"type": "AssetStateStoreResult", "value": kept[message["key"]]}

    def _SetAssetStateStoreByName(self, message: Message) -> None:
        self._kept_beside(message)[message["key"]] = message["value"]

    def _DeleteAssetStateStoreByName(self, message: Message) -> None:
        self._kept_beside(message).pop(message["key"], None)

    def _ClearAssetStateStoreByName(self, message: Message) -> None:
        self._kept_beside(message).clear()

    _GetAssetStateStoreByUri = _GetAssetStateStoreByName
    _SetAssetStateStoreByUri = _SetAssetStateStoreByName
    _DeleteAssetStateStoreByUri = _DeleteAssetStateStoreByName
    _ClearAssetStateStoreByUri = _ClearAssetStateStoreByName

    def note_events(self, message: Message) -> None:
        """Write the events of a task that succeeded: one per outlet, and those that it gave for aliases."""
        given = message.get("outlet_events") or []
        for outlet in message.get("task_outlets") or []:
            if outlet["type"] == "AssetAlias":
                continue
            own = [e for e in given if not e.get("source_alias_name") and e["dest_asset_key"].get("uri") == outlet["uri"]]
            for event in own or [{}]:
                asset = {"name": outlet["name"], "uri": outlet["uri"]}
                self._note(asset, event.get("extra"), [], event.get("partition_key"))
        for event in given:
            if event.get("source_alias_name"):
                key = event["dest_asset_key"]
                asset = {"name": key["name"], "uri": key.get("uri") or key["name"]}
                self._note(asset, event.get("extra"), [{"name": event["source_alias_name"]}], None)

    def _note(self, asset: dict[str, Any], extra: Any, aliases: list[dict[str, Any]], partition_key: str | None) -> None:
        own = self.instance
        source = {"source_dag_id": own.dag_id, "source_task_id": own.task_id, "source_run_id": own.run_id}
        event: dict[str, Any] = {"id": len(self.store.asset_events) + 1, "asset": asset, "extra": extra or {}, **source}
        event |= {"source_map_index": own.map_index, "source_aliases": aliases, "partition_key": partition_key}
        self.store.asset_events.append({**event, "timestamp": self.clock.now().isoformat(), "created_dagruns": []})


def _cut(events: list[dict[str, Any]], message: Message) -> list[dict[str, Any]]:
    after, before = message.get("after"), message.get("before")
    found = [e for e in events if (not after or e["timestamp"] >= after) and (not before or e["timestamp"] <= before)]
    if message.get("ascending") is False:
        found = found[::-1]
    return found[: message["limit"]] if message.get("limit") is not None else found
