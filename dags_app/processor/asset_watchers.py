"""Decides which watchers hang on an asset: those that any DAG which mentions it gives in its newest version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

from dags_app.asset_mentions import mentions_of
from dags_app.models import Asset, AssetReference, AssetWatcher
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.database import notify_on_commit
from vault.keys import seal

Json = Any


def watchers_settle(asset_ids: Collection[int]) -> None:
    """Write the watchers of these assets; the triggerer starts and stops what watches accordingly."""
    changed = False
    for asset in Asset.objects.filter(pk__in=asset_ids).prefetch_related("watchers").order_by("pk"):
        wanted = _declared(asset)
        here = {row.name: row for row in asset.watchers.all()}
        changed |= _write(asset, wanted, here)
    if changed:
        notify_on_commit("triggerer")


def _declared(asset: Asset) -> dict[str, Json]:
    """Return the triggers by watcher name, read from every DAG that mentions the asset."""
    found: dict[str, Json] = {}
    mentions = AssetReference.objects.filter(asset=asset).exclude(dag__latest_version=None)
    versions = mentions.values_list("dag__latest_version_id", flat=True).distinct().order_by("dag__latest_version_id")
    for version_id in versions:
        try:
            document = mentions_of(spec_of(version_id)).assets.get((asset.name, asset.uri)) or {}
        except SpecUnreadableError:
            continue
        for watcher in document.get("watchers") or ():
            found[str(watcher["name"])] = watcher["trigger"]
    return found


def _write(asset: Asset, wanted: dict[str, Json], here: dict[str, AssetWatcher]) -> bool:
    hashes = {name: trigger_hash(trigger) for name, trigger in wanted.items()}
    gone = [row.pk for name, row in here.items() if hashes.get(name) != row.kwargs_hash]
    fresh = [name for name in sorted(wanted) if name not in here or here[name].pk in gone]
    AssetWatcher.objects.filter(pk__in=gone).delete()
    for name in fresh:
        trigger = wanted[name]
        kwargs = seal(json.dumps(trigger.get("kwargs") or {}))[0]
        AssetWatcher.objects.create(
            asset=asset, name=name, classpath=trigger["classpath"], encrypted_kwargs=kwargs, kwargs_hash=hashes[name]
        )
    return bool(gone or fresh)


def trigger_hash(trigger: dict[str, Json]) -> str:
    """Return what is equal for equal class and arguments; watchers that share it share one trigger."""
    text = json.dumps([trigger["classpath"], trigger.get("kwargs") or {}], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
