"""Decides what the list of assets and the list of an asset's events show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count

from dags_app.models import Asset, AssetReference
from orchestrator.rest.params import between, equal, order_param, page_params, params
from orchestrator.ui.lists import Column, Filter, ListSpec
from runs.api.asset_events import ORDER as EVENT_ORDER
from runs.api.asset_queries import attach_to_assets
from runs.api.assets import LIST, ORDER
from runs.assets.by_hand import queued

Role = AssetReference.Role


def attach(rows: Sequence[Asset]) -> None:
    """Load for a page of assets who writes, reads and awaits them; a constant number of queries."""
    attach_to_assets(rows)
    waiting: Any = queued(asset__in=[row.pk for row in rows]).order_by().values_list("asset_id")
    numbers = dict(waiting.annotate(number=Count("dag", distinct=True)))
    for row in rows:
        _attach(row, numbers.get(row.pk, 0))


def _attach(row: Any, waiting: int) -> None:
    row.queued = waiting
    row.also = [*(f"alias {alias.name}" for alias in row.aliases.all()), *(f"watcher {w['name']}" for w in row.shown_watchers)]
    row.starts = list(dict.fromkeys(ref.dag_id for ref in row.shown_references if ref.role == Role.SCHEDULE))
    row.producers = [ref for ref in row.shown_references if ref.role == Role.OUTLET]
    row.readers = [ref for ref in row.shown_references if ref.role == Role.INLET]


def _tasks(name: str) -> Any:
    return lambda row: " ".join(f"{ref.dag_id}.{ref.task_id}" for ref in getattr(row, name))


ASSETS = ListSpec(
    name="assets",
    params=LIST,
    order=ORDER,
    columns=(
        Column("name", "Asset", "name"),
        Column("group", "Group"),
        Column("last_event_at", "Last event"),
        Column("producers", "Written by", text=_tasks("producers")),
        Column("starts", "Starts", text=lambda row: " ".join(row.starts)),
        Column("readers", "Read by", text=_tasks("readers")),
        Column("queued", "Queued for", number=True),
        Column("also", "Aliases, watchers", text=lambda row: " ".join(row.also)),
        Column("uri", "URI", "uri"),
    ),
    filters=(
        Filter("name_pattern", "Name", "search"),
        Filter("uri_pattern", "URI"),
        Filter("dag_ids", "DAG id"),
        Filter("only_active", "With a DAG that names it", "choice", (("true", "only these"), ("false", "all"))),
    ),
    default_order=("name",),
    noun="asset",
)

EVENTS = ListSpec(
    name="asset_events",
    params=params(
        page_params(),
        order_param(),
        equal("source_dag_id", "source_dag_id"),
        equal("source_task_id", "source_task_id"),
        equal("source_run_id", "source_run_id"),
        between("timestamp", "timestamp"),
    ),
    order=EVENT_ORDER,
    columns=(
        Column("timestamp", "When", "timestamp"),
        Column("source", "Made by", text=lambda row: ".".join(filter(None, (row.source_dag_id, row.source_task_id)))),
        Column("source_run_id", "Run", "source_run_id"),
        Column("partition_key", "Partition"),
        Column("extra", "Extra"),
        Column("created", "Started", text=lambda row: " ".join(f"{run['dag_id']}/{run['run_id']}" for run in row.shown_runs)),
    ),
    filters=(
        Filter("source_dag_id", "Made by DAG"),
        Filter("source_task_id", "Made by task"),
        Filter("timestamp_gte", "From", "date"),
        Filter("timestamp_lte", "To", "date"),
    ),
    default_order=("-timestamp",),
    noun="event",
)
