"""Decides which events the success of a task makes, from what it reports of its outlets."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from dags_app.models import Asset
from dags_app.plugins import asset_told
from orchestrator.kernel.clock import utcnow
from runs.assets.events import NewEvent, Source
from runs.listeners.outbox import tell
from runs.models import DagRun, TaskInstance

log = logging.getLogger(__name__)

Json = Any
AssetKey = tuple[str, str]


def events_of_success(row: TaskInstance, run: DagRun, outlets: Sequence[Json], reported: Sequence[Json]) -> list[NewEvent]:
    """Return the events of one success.

    Args:
        outlets: profiles (``name``, ``uri``, ``type``) of the task's outlets.
        reported: what the task said about them: ``dest_asset_key`` with ``extra`` and ``partition_key``, and for an alias
            also ``source_alias_name`` and ``dest_asset_extra``.

    An asset that no DAG declares makes no event; one that an alias stands for is created where it is unknown.
    """
    source = Source(row.dag_id, row.task_id, row.run_id, row.map_index)
    found = []
    for asset in _written(outlets):
        found += _of_asset(asset, source, run, [item for item in reported if _is_about(item, asset)])
    return found + _of_aliases(outlets, reported, source, run)


def _written(outlets: Sequence[Json]) -> list[Asset]:
    """Return the active assets among the outlets, each once."""
    keys = [(item["name"], item["uri"]) for item in outlets if _kind(item) == "asset" and item.get("name") and item.get("uri")]
    names = [item["name"] for item in outlets if _kind(item) == "name" and item.get("name")]
    uris = [item["uri"] for item in outlets if _kind(item) == "uri" and item.get("uri")]
    if not (keys or names or uris):
        return []
    wanted = Q(name__in=names) | Q(uri__in=uris) | Q(name__in=[name for name, _ in keys], uri__in=[uri for _, uri in keys])
    here = [
        asset
        for asset in Asset.objects.filter(wanted, is_active=True).order_by("pk")
        if (asset.name, asset.uri) in keys or asset.name in names or asset.uri in uris
    ]
    known = {(asset.name, asset.uri) for asset in here}
    for key in keys:
        if key not in known:
            log.warning("a task wrote the asset %s (%s), which is not active; it makes no event", *key)
    return here


def _kind(item: Json) -> str:
    kinds = {"Asset": "asset", "AssetNameRef": "name", "AssetUriRef": "uri", "AssetAlias": "alias"}
    return kinds.get(str(item.get("type")), "")


def _is_about(item: Json, asset: Asset) -> bool:
    key = item.get("dest_asset_key") or {}
    return not item.get("source_alias_name") and (key.get("name"), key.get("uri")) == (asset.name, asset.uri)


def _of_asset(asset: Asset, source: Source, run: DagRun, said: Sequence[Json]) -> list[NewEvent]:
    """One event per thing said; one plain event where the task said nothing."""
    made = []
    for item in said or [{}]:
        key = item.get("partition_key") or run.partition_key
        # The date is that of the run's own partition, not of another one that the task names.
        date = run.partition_date if key == run.partition_key else None
        made.append(NewEvent(asset, item.get("extra") or {}, source, frozenset(), key, date))
    return made


def _of_aliases(outlets: Sequence[Json], reported: Sequence[Json], source: Source, run: DagRun) -> list[NewEvent]:
    """One event per asset and extra, whatever the number of aliases that it was added to."""
    aliases = {item["name"] for item in outlets if _kind(item) == "alias" and item.get("name")}
    groups: dict[tuple[AssetKey, str, str], set[str]] = defaultdict(set)
    for item in reported:
        if item.get("source_alias_name") in aliases:
            key = item["dest_asset_key"]
            texts = [json.dumps(item.get(name) or {}, sort_keys=True) for name in ("dest_asset_extra", "extra")]
            groups[(key["name"], key["uri"]), texts[0], texts[1]].add(item["source_alias_name"])
    made = []
    for ((name, uri), asset_extra, extra), names in groups.items():
        asset = _known_or_new(name, uri, json.loads(asset_extra))
        made.append(NewEvent(asset, json.loads(extra), source, frozenset(names), run.partition_key, run.partition_date))
    return made


def _known_or_new(name: str, uri: str, extra: Json) -> Asset:
    """Return the asset; a new one is active unless another active one has its name or its URI."""
    asset = Asset.objects.filter(name=name, uri=uri).first()
    if asset is not None and asset.is_active:
        return asset
    is_free = not Asset.objects.filter(Q(name=name) | Q(uri=uri), is_active=True).exists()
    if asset is None:
        asset, is_new = Asset.objects.get_or_create(name=name, uri=uri, defaults={"extra": extra, "is_active": is_free})
        if is_new:
            tell("on_asset_created", {"asset": asset_told(asset)}, now=utcnow())
    elif is_free:
        asset.is_active = True
        asset.save(update_fields=["is_active", "updated_at"])
    return asset
