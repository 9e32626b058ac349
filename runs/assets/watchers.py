"""Decides which triggers watch for events of assets, and what their events become.

Watchers with the same class and arguments share one trigger, named by the first of them; each of its events is an event of
every asset that they hang on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from dags_app.models import Asset, AssetReference, AssetWatcher
from orchestrator.database import notify_on_commit
from runs.assets.events import NewEvent, events_add
from runs.changes import TRIGGERER_TOPIC
from runs.models import Trigger

Json = Any


def watching() -> QuerySet[AssetWatcher]:
    """Return the watchers that shall watch now: some DAG that is there and switched on is scheduled on their asset."""
    listening = AssetReference.objects.filter(role=AssetReference.Role.SCHEDULE, dag__is_paused=False, dag__is_stale=False)
    return AssetWatcher.objects.filter(asset__is_active=True, asset__in=listening.values("asset")).order_by("pk")


def triggers_settle(now: datetime) -> int:
    """Create the triggers that are wanted and delete the others, whose triggerer then stops them; returns how many changed.

    Two queries while nothing changes.
    """
    if _difference() == (set(), set()):
        return 0
    with transaction.atomic():
        # Of two triggerers the second sees what the first has done.
        list(AssetWatcher.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
        missing, gone = _difference()
        Trigger.objects.filter(pk__in=gone).delete()
        for row in _first_of_each(missing):
            Trigger.objects.create(watcher=row, classpath=row.classpath, encrypted_kwargs=row.encrypted_kwargs, created_date=now)
        if missing or gone:
            notify_on_commit(TRIGGERER_TOPIC)
    return len(missing) + len(gone)


def _difference() -> tuple[set[str], set[int]]:
    """Return the hashes that lack a trigger, and the triggers that nobody wants."""
    wanted = set(watching().values_list("kwargs_hash", flat=True))
    here = dict(Trigger.objects.filter(watcher__isnull=False).values_list("pk", "watcher__kwargs_hash"))
    return wanted - set(here.values()), {pk for pk, key in here.items() if key not in wanted}


def _first_of_each(hashes: set[str]) -> list[AssetWatcher]:
    rows = {row.kwargs_hash: row for row in reversed(watching().filter(kwargs_hash__in=hashes))}
    return [rows[key] for key in sorted(rows)]


def watcher_event(trigger_id: int, payload: Json, *, now: datetime) -> int:
    """Write an event for every asset that a trigger watches for; returns how many. One that watches no more makes none."""
    trigger = Trigger.objects.filter(pk=trigger_id).select_related("watcher").first()
    if trigger is None or trigger.watcher is None:
        return 0
    same = watching().filter(kwargs_hash=trigger.watcher.kwargs_hash)
    assets = list(Asset.objects.filter(pk__in=same.values("asset")).order_by("pk"))
    extra = {"from_trigger": True, "payload": payload}
    return len(events_add([NewEvent(asset, extra) for asset in assets], now=now))
