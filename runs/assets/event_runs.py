"""Decides when the events that wait for a DAG make a run, and gives the run what its policy takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from dags_app.asset_mentions import leaves
from dags_app.models import AssetReference, Dag
from dags_app.selectors import spec_of
from orchestrator.database import for_update
from orchestrator.sdk.serialization.spec import DagSpec
from runs.assets.conditions import AssetKey
from runs.assets.deliveries import UNSCHEDULED, drop, held, moment_of, supersede, take_all, take_held, waiting_assets
from runs.assets.naming import names_of
from runs.assets.policies import TELLING, EventPolicy, WaitingAsset, chosen, due_at, first_match
from runs.models import AssetDelivery, AssetEvent, DagRun
from runs.run_ids import run_id_of
from runs.states import DagRunState, DagRunType

Json = Any


def has_room(dag: Dag) -> bool:
    """Return whether the DAG may have another run; queued ones count, as in Airflow, so that events gather meanwhile."""
    open_runs = DagRun.objects.unfinished().filter(dag_id=dag.pk, backfill=None)
    return dag.max_active_runs is None or open_runs.count() < dag.max_active_runs


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the events that wait: a run, or none before ``due``; ``more`` says that the next run may be due already."""

    run: DagRun | None = None
    due: datetime | None = None
    more: bool = False


def run_from_events(dag_id: str, *, now: datetime) -> Outcome:
    """Create the run that the events waiting for a DAG make under its policy; without a run where its condition is not met.

    Runs in the caller's transaction. The DAG's row is held, so of several schedulers one takes the events.
    """
    dag = for_update(Dag.objects.filter(pk=dag_id, is_paused=False, is_stale=False)).first()
    if dag is None or dag.latest_version_id is None:
        return Outcome()
    if dag.event_policy == EventPolicy.LATEST:
        supersede(dag)
    if not has_room(dag):
        return Outcome()
    spec = spec_of(dag.latest_version_id)
    waiting = _still_wanted(dag, spec)
    match = first_match(spec.asset_condition, waiting, names_of(spec.asset_condition))
    if not match:
        return Outcome()
    due = due_at(dag.event_policy, dag.event_window, match)
    if due is not None and due > now:
        return Outcome(due=due)
    if spec.catchup and _add_history(dag):
        waiting = _still_wanted(dag, spec)
        match = first_match(spec.asset_condition, waiting, names_of(spec.asset_condition))
    run = _taking(dag, chosen(dag.event_policy, match, waiting), max(asset.newest for asset in waiting.values()), now)
    return Outcome(run, more=run is not None and dag.event_policy == EventPolicy.EACH)


def _taking(dag: Dag, event_ids: list[int] | None, newest: int, now: datetime) -> DagRun | None:
    """Create the run and give it its events; None where somebody has emptied the queue this moment."""
    if event_ids is None:
        run = create_run(dag, run_after=moment_of(dag, newest), now=now)
        if not take_all(dag, newest, run, now=now):
            run.delete()
            return None
        return run
    rows = held(dag, event_ids)
    if len(rows) < len(event_ids):
        return None
    run = create_run(dag, run_after=moment_of(dag, event_ids[-1]), now=now)
    take_held(rows, run, now=now)
    return run


def create_run(
    dag: Dag, *, run_after: datetime, now: datetime, partition_key: str | None = None, partition_date: datetime | None = None
) -> DagRun:
    """Insert a queued run that assets have triggered; it has neither logical date nor data interval."""
    return DagRun.objects.create(
        dag=dag,
        run_id=run_id_of(DagRunType.ASSET_TRIGGERED, run_after=run_after, unique=True),
        run_type=DagRunType.ASSET_TRIGGERED,
        state=DagRunState.QUEUED,
        run_after=run_after,
        queued_at=now,
        triggered_by="asset",
        partition_key=partition_key,
        partition_date=partition_date,
        created_dag_version_id=dag.latest_version_id,
        bundle_version=dag.bundle_version,
    )


def _still_wanted(dag: Dag, spec: DagSpec) -> dict[AssetKey, WaitingAsset]:
    """Return the assets that wait, without those that the schedule names no more; these are dropped, with the reason.

    A consumer whose condition is never met gathers events for ever, so it is the assets that are read, not the events.
    """
    waiting = waiting_assets(dag)
    named = list(leaves(spec.asset_condition))
    keys = {(leaf["name"], leaf["uri"]) for leaf in named if leaf["type"] == "asset"}
    names = {leaf.get("name") for leaf in named if leaf["type"] == "asset_ref"}
    uris = {leaf.get("uri") for leaf in named if leaf["type"] == "asset_ref"}
    behind = {key for found in names_of(spec.asset_condition).by_alias.values() for key in found}
    gone = {key for key in waiting if key not in keys | behind and key[0] not in names and key[1] not in uris}
    drop(dag, [waiting[key].asset_id for key in gone], UNSCHEDULED)
    return {key: asset for key, asset in waiting.items() if key not in gone}


def _add_history(dag: Dag) -> bool:
    """The first run of a DAG with ``catchup`` also takes the events from before the DAG was there, as in Airflow.

    Returns whether something was added. With ``each`` these events get their runs too, with ``latest`` they are over already.
    """
    if dag.event_policy == EventPolicy.LATEST or _has_asset_runs(dag):
        return False
    mine = AssetReference.objects.filter(dag=dag, role=AssetReference.Role.SCHEDULE)
    meant = Q(asset__in=mine.values("asset")) | Q(aliases__in=mine.exclude(alias=None).values("alias"))
    if dag.event_policy not in TELLING:
        meant &= Q(partition_key=None)
    before = AssetEvent.objects.filter(meant).exclude(deliveries__dag=dag).distinct()
    AssetDelivery.objects.bulk_create(
        [AssetDelivery(event=event, dag=dag, asset_id=event.asset_id, created_at=event.timestamp) for event in before.iterator()],
        ignore_conflicts=True,
    )
    return True


def _has_asset_runs(dag: Dag) -> bool:
    return DagRun.objects.filter(dag_id=dag.pk, run_type=DagRunType.ASSET_TRIGGERED).exists()
