"""Decides how values beside tasks and assets are kept, replaced and forgotten.

Functions open no transaction: the interface that calls them does, around one call.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from orchestrator.config import conf
from runs.models import AssetState, TaskInstance, TaskState

Json = Any
DELETED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class TaskScope:
    """Whose values: one task in one run, one map index of it."""

    dag_run_id: int
    task_id: str
    map_index: int = -1


def task_values(scope: TaskScope, now: datetime) -> QuerySet[TaskState]:
    """Return the values of a task that have not expired."""
    rows = TaskState.objects.filter(dag_run_id=scope.dag_run_id, task_id=scope.task_id, map_index=scope.map_index)
    return rows.filter(Q(expires_at=None) | Q(expires_at__gt=now))


def default_expiry(now: datetime) -> datetime | None:
    """Return when a value goes whose writer does not say; None for never (``[state_store] default_retention_days`` 0)."""
    days = int(conf.get("state_store", "default_retention_days"))
    return now + timedelta(days=days) if days > 0 else None


def task_value_set(scope: TaskScope, key: str, value: Json, *, expires_at: datetime | None, now: datetime) -> None:
    """Keep a value, in the place of one under the same key."""
    row = TaskState(
        dag_run_id=scope.dag_run_id,
        task_id=scope.task_id,
        map_index=scope.map_index,
        key=key,
        value=json.dumps(value),
        updated_at=now,
        expires_at=expires_at,
    )
    TaskState.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["dag_run", "task_id", "map_index", "key"],
        update_fields=["value", "updated_at", "expires_at"],
    )


def asset_value_set(asset_id: int, key: str, value: Json, *, writer: Json, now: datetime) -> None:
    """Keep a value beside an asset. ``writer``: kind (task, watcher, api), and for a task its ids."""
    row = AssetState(asset_id=asset_id, key=key, value=json.dumps(value), updated_at=now, writer=writer)
    AssetState.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["asset", "key"], update_fields=["value", "updated_at", "writer"]
    )


def task_values_forget(instances: Iterable[TaskInstance]) -> None:
    """Delete all values of these task instances."""
    for row in instances:
        TaskState.objects.filter(dag_run_id=row.dag_run_id, task_id=row.task_id, map_index=row.map_index).delete()


def task_values_expire(now: datetime, limit: int = DELETED_AT_ONCE) -> int:
    """Delete values that have expired, at most ``limit``; returns how many."""
    ids = list(TaskState.objects.filter(expires_at__lte=now).order_by("expires_at").values_list("pk", flat=True)[:limit])
    return TaskState.objects.filter(pk__in=ids).delete()[0] if ids else 0
