"""Decides which assets are active: somebody mentions them, and no other active asset has their name or their URI."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from dags_app.models import Asset, AssetReference, DagWarning
from orchestrator.kernel.clock import utcnow


def assets_settle(asset_ids: Collection[int]) -> None:
    """Write the activity of these assets and of those that share a name or a URI with them, and the warnings of conflicts.

    The first one to come keeps a name; only an asset that a task writes takes it from one that nobody writes, so that the
    outcome does not hang on the order in which two files are read.
    """
    if not asset_ids:
        return
    own = list(Asset.objects.filter(pk__in=asset_ids).values_list("name", "uri"))
    same = Q(name__in={name for name, _ in own}) | Q(uri__in={uri for _, uri in own})
    rivals = list(_with_mentions(Asset.objects.filter(same).select_for_update(of=("self",)).order_by("pk")))
    names: dict[str, int] = {}
    uris: dict[str, int] = {}
    wanted: set[int] = set()
    for asset in sorted(rivals, key=lambda row: (not row.is_written, not row.is_active, row.pk)):  # type: ignore[attr-defined]
        if asset.is_mentioned and asset.name not in names and asset.uri not in uris:  # type: ignore[attr-defined]
            names[asset.name] = uris[asset.uri] = asset.pk
            wanted.add(asset.pk)
    for is_active in (True, False):
        changed = [row.pk for row in rivals if (row.pk in wanted) == is_active and row.is_active != is_active]
        if changed:
            Asset.objects.filter(pk__in=changed).update(is_active=is_active, updated_at=utcnow())
    _write_warnings()


def _with_mentions(rows: QuerySet[Asset]) -> QuerySet[Asset]:
    mentions = AssetReference.objects.filter(asset=OuterRef("pk"))
    bound = Asset.aliases.through.objects.filter(asset=OuterRef("pk"))
    return rows.annotate(
        is_mentioned=Exists(mentions) | Exists(bound), is_written=Exists(mentions.filter(role=AssetReference.Role.OUTLET))
    )


def _write_warnings() -> None:
    """One warning per DAG that mentions an asset which another one keeps from being active; a settled one goes."""
    texts: dict[str, list[str]] = defaultdict(list)
    refused = AssetReference.objects.filter(asset__is_active=False).select_related("asset")
    for row in refused.order_by("dag_id", "asset_id"):
        text = _conflict(row.asset) if row.asset is not None else ""
        if text and text not in texts[row.dag_id]:
            texts[row.dag_id].append(text)
    kind = DagWarning.Kind.ASSET_CONFLICT
    told = {dag_id: "\n".join(lines) for dag_id, lines in texts.items() if lines}
    here = dict(DagWarning.objects.filter(warning_type=kind).values_list("dag_id", "message"))
    DagWarning.objects.filter(warning_type=kind, dag_id__in=here.keys() - told.keys()).delete()
    for dag_id, message in told.items():
        if here.get(dag_id) != message:
            facts = {"message": message, "timestamp": utcnow()}
            DagWarning.objects.update_or_create(dag_id=dag_id, warning_type=kind, defaults=facts)


def _conflict(asset: Asset) -> str:
    others = Asset.objects.filter(Q(name=asset.name) | Q(uri=asset.uri), is_active=True).exclude(pk=asset.pk)
    other = others.order_by("pk").first()
    if other is None:
        return ""
    what, value = ("name", other.uri) if other.name == asset.name else ("uri", other.name)
    shown = f'Asset(name="{asset.name}", uri="{asset.uri}", group="{asset.group}")'
    return f"Cannot activate asset {shown}; {what} is already associated to {value!r}"
