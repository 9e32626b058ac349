"""Decides which assets or partition keys a DAG that is scheduled by assets still lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from dags_app.asset_mentions import leaves
from dags_app.models import Asset, Dag
from orchestrator.sdk.serialization.spec import DagSpec
from runs.assets.conditions import AssetKey, Names, keys_of
from runs.assets.deliveries import KEYED, MISSED, WAITING, waiting_assets, will_be_told
from runs.assets.mappers import expected_keys, is_complete
from runs.assets.naming import names_of
from runs.assets.partitioned import mapper_for
from runs.assets.policies import WaitingAsset, due_at, first_match
from runs.explain.answer import MOST_BLOCKERS, Blocker, Explanation, listed, of_asset, of_dag, said
from runs.explain.reasons import Reason
from runs.models import AssetDelivery, PartitionArrival, PartitionWait

_SHOWN_WAITS = 3


def of_assets(dag: Dag, spec: DagSpec, now: datetime) -> Iterator[Explanation]:
    """Yield the assets that lack an event, or until when events are gathered, or that a run is about to be made."""
    names = names_of(spec.asset_condition)
    waiting = waiting_assets(dag)
    match = first_match(spec.asset_condition, waiting, names)
    due = due_at(dag.event_policy, dag.event_window, match) if match else None
    if due is not None and due > now:
        text = (
            f"DAG {dag.pk} gathers events until {said(due)} (event_window = {dag.event_window:g} s); {_there(waiting)} waiting."
        )
        yield Explanation(Reason.EVENT_WINDOW, text, (), match[-1].since, due)
    elif match:
        text = f"The events that DAG {dag.pk} waits for are there: its run is made as soon as the scheduler looks at it."
        yield Explanation(Reason.ABOUT_TO_CREATE, text)
    else:
        yield _missing_assets(dag, spec, waiting, names)
    yield from _of_silent(dag)


def _missing_assets(dag: Dag, spec: DagSpec, waiting: Mapping[AssetKey, WaitingAsset], names: Names) -> Explanation:
    found = list(leaves(spec.asset_condition))
    if not found:
        text = f"The schedule of DAG {dag.pk} is a list of assets without any: trigger it."
        return Explanation(Reason.NOT_SCHEDULED, text, (of_dag(dag.pk, "not scheduled"),))
    missing = [leaf for leaf in found if not any(key in waiting for key in keys_of(leaf, names))]
    shown = [str(leaf.get("name") or leaf.get("uri")) for leaf in missing]
    known = _ids([leaf for leaf in missing if leaf["type"] == "asset"])
    blockers = tuple(
        of_asset(known.get((leaf.get("name", ""), leaf.get("uri", ""))), name, "no event")
        for leaf, name in list(zip(missing, shown, strict=True))[:MOST_BLOCKERS]
    )
    there = f"{len(found) - len(missing)} of {len(found)} are there" + (f": {_there(waiting)} waiting" if waiting else "")
    text = f"DAG {dag.pk} waits for events of {listed(shown, MOST_BLOCKERS)} ({there})."
    return Explanation(Reason.ASSETS_MISSING, text, blockers, min((asset.since for asset in waiting.values()), default=None))


def _there(waiting: Mapping[AssetKey, WaitingAsset]) -> str:
    return listed([f"{asset.number} of {name}" for (name, _), asset in sorted(waiting.items())])


def _of_silent(dag: Dag) -> Iterator[Explanation]:
    """Events that start no run by themselves, but of which the next run tells."""
    number = will_be_told(dag).count()
    if number:
        text = f"{number} earlier events start no run of DAG {dag.pk} ({MISSED}, or {KEYED}); its next run takes them too."
        yield Explanation(Reason.EVENTS_STARTED_NOTHING, text)


def _ids(assets: list[dict[str, str]]) -> dict[AssetKey, int]:
    rows = Asset.objects.filter(name__in=[leaf["name"] for leaf in assets]).values_list("name", "uri", "pk")
    return {(name, uri): pk for name, uri, pk in rows}


def of_partitions(dag: Dag, spec: DagSpec) -> Iterator[Explanation]:
    """Yield, for the oldest partitions that wait, the upstream keys that have not arrived."""
    asked = AssetDelivery.objects.filter(WAITING, dag=dag).count()
    if asked:
        text = f"{asked} events wait until a plugin's mapper has told the scheduler of which partitions of DAG {dag.pk} they are."
        yield Explanation(Reason.PARTITION_KEYS, text)
    waits = list(PartitionWait.objects.filter(dag=dag, dag_run=None).order_by("created_at", "pk")[:_SHOWN_WAITS])
    if not waits:
        text = f"DAG {dag.pk} waits for the first event with a partition key of its assets."
        yield Explanation(Reason.PARTITION_KEYS, text, _all_assets(spec))
        return
    yield from of_waits(dag, spec, waits)


def of_waits(dag: Dag, spec: DagSpec, waits: Sequence[PartitionWait]) -> Iterator[Explanation]:
    """Yield, for each partition that waits, the upstream keys that have not arrived."""
    arrived: dict[int, dict[AssetKey, set[str]]] = defaultdict(lambda: defaultdict(set))
    rows = PartitionArrival.objects.filter(wait__in=waits).values_list(
        "wait_id", "asset__name", "asset__uri", "source_partition_key"
    )
    for wait_id, name, uri, key in rows:
        arrived[wait_id][name, uri].add(key)
    names = names_of(spec.asset_condition)
    for wait in waits:
        yield _of_wait(dag, spec, wait, arrived[wait.pk], names)


def _of_wait(dag: Dag, spec: DagSpec, wait: PartitionWait, arrived: dict[AssetKey, set[str]], names: Names) -> Explanation:
    parts, blockers = [], []
    for leaf in leaves(spec.asset_condition):
        shown = str(leaf.get("name") or leaf.get("uri"))
        meant = keys_of(leaf, names) or [(str(leaf.get("name") or ""), str(leaf.get("uri") or ""))]
        lacking = [_missing(spec, key, wait.partition_key, arrived.get(key, set())) for key in meant]
        if all(lacking):  # of several assets behind an alias one is enough
            parts.append(f"{listed(lacking[0])} of {shown}")
            blockers += [Blocker("partition", f"{shown}:{key}", f"{shown} {key}", "missing") for key in lacking[0]]
    what = "; ".join(parts) or "nothing more: its run is made as soon as the scheduler looks at it"
    text = f"Partition {wait.partition_key!r} of DAG {dag.pk} waits for {what}."
    reason = Reason.PARTITION_KEYS if parts else Reason.ABOUT_TO_CREATE
    return Explanation(reason, text, tuple(blockers[:MOST_BLOCKERS]), wait.created_at)


def _missing(spec: DagSpec, asset: AssetKey, key: str, arrived: set[str]) -> list[str]:
    """Return the upstream keys that an asset lacks for a partition; none where its wait policy has enough."""
    mapper = mapper_for(spec.timetable, name=asset[0], uri=asset[1])
    try:
        expected = expected_keys(mapper, key)
        if is_complete(mapper, key, arrived):
            return []
    except Exception as error:
        return [f"(its mapper fails: {error})"]
    if expected is None:
        return [f"a key for {key!r}"]
    return sorted(expected - arrived) or [
        f"more keys than the {len(expected)} of its window (its wait_policy is never satisfied)"
    ]


def _all_assets(spec: DagSpec) -> tuple[Blocker, ...]:
    names = [str(leaf.get("name") or leaf.get("uri")) for leaf in leaves(spec.asset_condition)]
    return tuple(of_asset(None, name, "no event") for name in names[:MOST_BLOCKERS])
