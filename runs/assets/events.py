"""Decides how an event of an asset is written: the event, its aliases, and what every consumer gets of it.

Runs in the caller's transaction, so that an event exists if and only if what caused it does (C23).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.reach import reaching
from dags_app.models import Asset, AssetAlias
from orchestrator.database import notify_on_commit
from runs.assets.consumers import consumers_of
from runs.assets.deliveries import deliver
from runs.assets.partition_waits import arrive
from runs.changes import SCHEDULER_TOPIC
from runs.listeners.outbox import tell_events
from runs.models import AssetEvent

log = logging.getLogger(__name__)

Json = Any


@dataclass(frozen=True, slots=True)
class Source:
    """The task that made an event; all None for one that came from elsewhere."""

    dag_id: str | None = None
    task_id: str | None = None
    run_id: str | None = None
    map_index: int = -1


NOBODY = Source()


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is to be written.

    ``aliases`` are the names through which a task named the asset; ``partition_date`` is that of the run that made it.
    """

    asset: Asset
    extra: Json = field(default_factory=dict)
    source: Source = NOBODY
    aliases: frozenset[str] = frozenset()
    partition_key: str | None = None
    partition_date: datetime | None = None


def events_add(new: Sequence[NewEvent], *, now: datetime) -> list[AssetEvent]:
    """Write events, and one delivery or partition arrival per consumer; returns the rows in the order given."""
    if not new:
        return []
    # An event reaches every consumer, those too that whoever caused it may not see.
    with reaching(None):
        rows = AssetEvent.objects.bulk_create([_row(item, now) for item in new])
        aliases = _aliases({name for item in new for name in item.aliases})
        _bind_aliases(new, rows, aliases)
        consumers = consumers_of(new, aliases)
        deliver(rows, consumers, now=now)
        arrive(new, rows, consumers, now=now)
        tell_events(
            rows,
            [[aliases[name] for name in sorted(item.aliases)] for item in new],
            [item.partition_date for item in new],
            now=now,
        )
    notify_on_commit(SCHEDULER_TOPIC)
    return rows


def _row(item: NewEvent, now: datetime) -> AssetEvent:
    if not item.asset.is_active:
        log.warning("event of asset %s, which no DAG declares any more", item.asset.name)
    source = item.source
    return AssetEvent(
        asset=item.asset,
        extra=item.extra or {},
        source_dag_id=source.dag_id,
        source_task_id=source.task_id,
        source_run_id=source.run_id,
        source_map_index=source.map_index,
        partition_key=item.partition_key,
        timestamp=now,
    )


def _aliases(names: Collection[str]) -> dict[str, AssetAlias]:
    if not names:
        return {}
    AssetAlias.objects.bulk_create([AssetAlias(name=name) for name in sorted(names)], ignore_conflicts=True)
    return {alias.name: alias for alias in AssetAlias.objects.filter(name__in=names)}


def _bind_aliases(new: Sequence[NewEvent], rows: Sequence[AssetEvent], aliases: dict[str, AssetAlias]) -> None:
    """Note for each event the aliases it came through, and for each alias the assets it has stood for."""
    if not aliases:
        return
    of_event = AssetEvent.aliases.through
    of_asset = AssetAlias.assets.through
    pairs = [(row, aliases[name]) for item, row in zip(new, rows, strict=True) for name in sorted(item.aliases)]
    of_event.objects.bulk_create([of_event(assetevent_id=row.pk, assetalias_id=alias.pk) for row, alias in pairs])
    bound = sorted({(alias.pk, row.asset_id) for row, alias in pairs})
    of_asset.objects.bulk_create(
        [of_asset(assetalias_id=alias_id, asset_id=asset_id) for alias_id, asset_id in bound], ignore_conflicts=True
    )
