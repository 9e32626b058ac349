"""Decides which rows of assets, aliases and references a stored version of a DAG gives; one DAG at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from dags_app.asset_mentions import AssetKey, Mention, Mentions, mentions_of
from dags_app.models import Asset, AssetAlias, AssetReference, Dag
from dags_app.plugins import alias_told, asset_told
from dags_app.processor.asset_activity import assets_settle
from dags_app.processor.asset_watchers import watchers_settle
from dags_app.processor.texts import storable
from orchestrator.sdk.serialization.spec import DagSpec

Told = tuple[str, dict[str, Any]]
"""A listener hook and what it is told."""


def assets_store(dag: Dag, spec: DagSpec) -> list[Told]:
    """Write what a DAG says about assets now, in the transaction that stores its version; returns what listeners hear of it.

    A DAG without assets, before and now, costs one query.
    """
    mentioned = mentions_of(spec)
    old = {_mention(row): row for row in _rows(AssetReference.objects.filter(dag=dag))}
    if not mentioned.all and not old:
        return []
    told: list[Told] = []
    touched = {row.asset_id for row in old.values() if row.asset_id is not None}
    assets = _store_assets(mentioned, told)
    aliases = _store_aliases(mentioned, told)
    gone = [row.pk for mention, row in old.items() if mention not in mentioned.all]
    AssetReference.objects.filter(pk__in=gone).delete()
    fresh = sorted(mentioned.all - old.keys(), key=lambda item: (item.role, item.task_id, item.kind, item.name, item.uri))
    AssetReference.objects.bulk_create([_reference(dag, mention, assets, aliases) for mention in fresh])
    touched |= {asset.pk for asset in assets.values()}
    assets_settle(touched)
    watchers_settle(touched)
    return told


def assets_drop(dag_ids: Collection[str]) -> None:
    """Forget what DAGs that are gone said about assets; assets that nobody mentions any more become inactive."""
    rows = AssetReference.objects.filter(dag_id__in=dag_ids)
    touched = set(rows.exclude(asset=None).values_list("asset_id", flat=True))
    if not rows.exists():
        return
    rows.delete()
    assets_settle(touched)
    watchers_settle(touched)


def _rows(rows: Iterable[AssetReference]) -> Iterable[AssetReference]:
    return rows.select_related("asset", "alias")  # type: ignore[attr-defined,no-any-return]


def _mention(row: AssetReference) -> Mention:
    if row.asset is not None:
        return Mention(row.role, row.task_id, "asset", row.asset.name, row.asset.uri)
    if row.alias is not None:
        return Mention(row.role, row.task_id, "alias", row.alias.name)
    return Mention(row.role, row.task_id, "name" if row.name else "uri", row.name, row.uri)


def _reference(dag: Dag, item: Mention, assets: dict[AssetKey, Asset], aliases: dict[str, AssetAlias]) -> AssetReference:
    made = AssetReference(dag=dag, role=item.role, task_id=item.task_id)
    if item.kind == "asset":
        made.asset = assets[item.name, item.uri]
    elif item.kind == "alias":
        made.alias = aliases[item.name]
    else:
        made.name, made.uri = storable(item.name, 1500), storable(item.uri, 1500)
    return made


def _store_assets(mentioned: Mentions, told: list[Told]) -> dict[AssetKey, Asset]:
    """Return the rows by key; group, extra and access of a definition that changed are written."""
    found: dict[AssetKey, Asset] = {}
    for (name, uri), document in sorted(mentioned.assets.items()):
        facts = {
            "group": storable(str(document.get("group") or "asset"), 1500),
            "extra": document.get("extra") or {},
            "access_control": document.get("access_control"),
        }
        # Activity is decided afterwards, with all references known.
        asset, created = Asset.objects.get_or_create(name=name, uri=uri, defaults={**facts, "is_active": False})
        if not created and any(getattr(asset, column) != value for column, value in facts.items()):
            for column, value in facts.items():
                setattr(asset, column, value)
            asset.save(update_fields=[*facts, "updated_at"])
        if created:
            told.append(("on_asset_created", {"asset": asset_told(asset)}))
        found[name, uri] = asset
    return found


def _store_aliases(mentioned: Mentions, told: list[Told]) -> dict[str, AssetAlias]:
    found: dict[str, AssetAlias] = {}
    for name, group in sorted(mentioned.aliases.items()):
        alias, created = AssetAlias.objects.get_or_create(name=name, defaults={"group": group})
        if not created and alias.group != group:
            alias.group = group
            alias.save(update_fields=["group"])
        if created:
            told.append(("on_asset_alias_created", {"asset_alias": alias_told(alias)}))
        found[name] = alias
    return found
