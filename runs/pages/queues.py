"""Decides what is told of the events of an asset that wait: for which DAG, how many, since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min

from dags_app.models import Asset
from runs.assets.by_hand import queued

MOST_QUEUES = 100


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits of one asset for one DAG."""

    dag_id: str
    number: int
    since: datetime


def queues_of(asset: Asset) -> list[Queue]:
    """Return what waits of an asset, by DAG; one query."""
    rows: Any = queued(asset_id=asset.pk).order_by().values_list("dag_id")
    found = rows.annotate(number=Count("pk"), since=Min("created_at")).order_by("dag_id")
    return [Queue(dag_id, number, since) for dag_id, number, since in found[:MOST_QUEUES]]
