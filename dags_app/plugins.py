"""Decides how plugins are stored and read: the server never imports one, it knows what a parse process told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dags_app.models import Asset, AssetAlias, Plugin
from dags_app.processor.texts import storable
from orchestrator.kernel.clock import monotonic

FRESH_SECONDS = 1.0
_heard: dict[str, Any] = {"until": 0.0, "hooks": frozenset()}


def plugins_store(description: dict[str, Any], now: datetime) -> bool:
    """Replace what is known by a description (``orchestrator.sdk.plugins.describing``); False where nothing changed."""
    wanted = [_row(item["name"], item["source"], item, "", now) for item in description["plugins"]]
    wanted += [_row("", item["source"], {}, item["error"], now) for item in description["errors"]]
    here = list(Plugin.objects.order_by("pk"))
    if [_facts(row) for row in here] == [_facts(row) for row in wanted]:
        return False
    Plugin.objects.all().delete()
    Plugin.objects.bulk_create(wanted)
    _heard["until"] = 0.0
    return True


def hooks_heard() -> frozenset[str]:
    """Return the listener hooks that some plugin implements; asked of the database at most once a second."""
    if monotonic() >= _heard["until"]:
        contents = Plugin.objects.filter(error="").values_list("content", flat=True)
        _heard["hooks"] = frozenset(hook for content in contents for hook in content.get("hooks", ()))
        _heard["until"] = monotonic() + FRESH_SECONDS
    hooks: frozenset[str] = _heard["hooks"]
    return hooks


def asset_told(asset: Asset) -> dict[str, Any]:
    """Return what a listener reads of an asset, as JSON for ``orchestrator.sdk.parsing.extras.told``."""
    return {"name": asset.name, "uri": asset.uri, "group": asset.group, "extra": {"__dict__": asset.extra or {}}}


def alias_told(alias: AssetAlias) -> dict[str, Any]:
    """Return what a listener reads of an alias."""
    return {"name": alias.name, "group": alias.group}


def forget_hooks() -> None:
    """Ask the database again at the next use."""
    _heard["until"] = 0.0


def _row(name: str, source: str, content: dict[str, Any], error: str, now: datetime) -> Plugin:
    name, source = storable(name, 500), storable(source)
    return Plugin(name=name, source=source, content=content, error=storable(error), loaded_at=now)


def _facts(row: Plugin) -> tuple[Any, ...]:
    return row.name, row.source, row.content, row.error
