"""Decides which rows the REST operations on assets read, with a constant number of queries, whatever a page holds."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Max, OuterRef, QuerySet, Subquery, prefetch_related_objects

from dags_app.models import Asset, AssetReference, AssetWatcher
from orchestrator.rest.errors import NotFoundError
from runs.api.asset_schemas import CREATED_RUN
from runs.assets.consumed import runs_created_by
from runs.models import AssetDelivery, AssetEvent, PartitionArrival, Trigger


def assets() -> QuerySet[Asset]:
    """All assets, with their last event."""
    last = AssetEvent.objects.filter(asset=OuterRef("pk")).order_by("-timestamp", "-pk")
    return Asset.objects.annotate(
        last_event_id=Subquery(last.values("pk")[:1]), last_event_at=Subquery(last.values("timestamp")[:1])
    )


def asset_or_404(asset_id: int, message: str = "The Asset with ID: `{}` was not found") -> Asset:
    """Return one asset. Raises ``NotFoundError``."""
    asset = assets().filter(pk=asset_id).first()
    if asset is None:
        raise NotFoundError(message.format(asset_id))
    return asset


def attach_to_assets(rows: Sequence[Asset]) -> None:
    """Load aliases, references and watchers for a page of assets."""
    prefetch_related_objects(list(rows), "aliases")
    by_id: dict[int, Any] = {asset.pk: asset for asset in rows}
    for asset in by_id.values():
        asset.shown_references, asset.shown_watchers = [], []
    for reference in AssetReference.objects.filter(asset__in=by_id).order_by("dag_id", "task_id"):
        by_id[reference.asset_id].shown_references.append(reference)  # type: ignore[index]
    _attach_watchers(by_id)


def _attach_watchers(by_id: dict[int, Any]) -> None:
    """A watcher without a trigger does not watch now: no DAG that is switched on listens to its asset."""
    watchers = list(AssetWatcher.objects.filter(asset__in=by_id).order_by("pk"))
    if not watchers:
        return
    running = Trigger.objects.filter(watcher__kwargs_hash__in=[row.kwargs_hash for row in watchers])
    triggers = {key: (pk, at) for key, pk, at in running.values_list("watcher__kwargs_hash", "pk", "created_date")}
    for row in watchers:
        if row.kwargs_hash in triggers:
            trigger_id, created = triggers[row.kwargs_hash]
            shown = {"name": row.name, "trigger_id": trigger_id, "created_date": created}
            by_id[row.asset_id].shown_watchers.append(shown)


def attach_to_events(rows: Sequence[AssetEvent]) -> None:
    """Load the runs that a page of events has created; the newest event of a run is the one that triggered it."""
    created = runs_created_by([event.pk for event in rows])
    newest = _newest_events({run.pk for runs in created.values() for run in runs})
    for event in rows:
        event.shown_runs = [  # type: ignore[attr-defined]
            {**CREATED_RUN.of(run), "triggering": newest[run.pk] == event.pk} for run in created.get(event.pk, [])
        ]


def _newest_events(run_ids: set[int]) -> dict[int, int]:
    if not run_ids:
        return {}
    taken = AssetDelivery.objects.filter(dag_run_id__in=run_ids).order_by().values_list("dag_run_id")
    found = dict(taken.annotate(newest=Max("event_id")))
    arrived = PartitionArrival.objects.filter(wait__dag_run_id__in=run_ids).order_by().annotate(run=F("wait__dag_run_id"))
    return found | dict(arrived.values_list("run").annotate(newest=Max("event_id")))
