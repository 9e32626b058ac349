"""Decides what a partitioned schedule says of one asset and of one key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from dags_app.asset_mentions import leaves
from orchestrator.sdk.definitions.timetables import decode_timetable
from orchestrator.sdk.definitions.timetables.dst import wall_to_utc
from orchestrator.sdk.definitions.timetables.instants import zone_of
from orchestrator.sdk.definitions.timetables.partition import LONGEST_KEY, CronPartitionTimetable
from orchestrator.sdk.serialization.spec import DagSpec
from runs.assets.mappers import partition_date

Json = Any
_IDENTITY: Json = {"type": "IdentityMapper"}


class PartitionKeyError(ValueError):
    """A partition key that this DAG does not take; the text says why."""


def is_partitioned(timetable: Json) -> bool:
    """Return whether runs of this schedule come one per partition of the assets."""
    return bool(timetable.get("type") == "PartitionedAssetTimetable")


def mapper_for(timetable: Json, *, name: str = "", uri: str = "") -> Json:
    """Return the mapper of an asset: its own, else the default one of the schedule."""
    by_name: dict[str, Json] = {}
    by_uri: dict[str, Json] = {}
    for asset, mapper in timetable.get("partition_mapper_config") or ():
        if asset.get("name"):
            by_name[asset["name"]] = mapper
        if asset.get("uri"):
            by_uri[asset["uri"]] = mapper
    own = by_name.get(name) if name else by_uri.get(uri)
    return own or by_uri.get(uri) or timetable.get("default_partition_mapper") or _IDENTITY


def fingerprint(timetable: Json) -> str:
    """Return what changes with the mappers, windows or assets: what waits under another one is out of date."""
    return hashlib.sha256(json.dumps(timetable, sort_keys=True).encode()).hexdigest()


def one_date(mappers: Collection[Json], key: str, carried: datetime | None) -> datetime | None:
    """Return the date on which all mappers that know one agree; ``carried`` where none knows one, None where they differ."""
    dates: set[datetime] = set()
    for mapper in mappers:
        date = partition_date(mapper, key)
        if date is not None:
            dates.add(date.astimezone(UTC))
    if not dates:
        return carried
    return dates.pop() if len(dates) == 1 else None


def check_key(spec: DagSpec, key: str | None) -> datetime | None:
    """Return the partition date of a key that somebody gives with a run, None where it stands for no date.

    Raises ``PartitionKeyError`` for a DAG without partitions and for a key of the wrong form.
    """
    if key is None:
        return None
    kind = spec.timetable.get("type")
    if kind not in ("PartitionedAssetTimetable", "CronPartitionTimetable", "PartitionedAtRuntime"):
        raise PartitionKeyError(f"Dag '{spec.dag_id}' is not a partitioned Dag and does not accept a partition_key.")
    if not key.strip():
        raise PartitionKeyError("partition_key must not be empty or whitespace-only.")
    if len(key) > LONGEST_KEY:
        raise PartitionKeyError(f"partition_key must be at most {LONGEST_KEY} characters; got {len(key)}.")
    if kind == "CronPartitionTimetable":
        return _cron_date(spec.timetable, key)
    return _asset_date(spec.timetable, key) if kind == "PartitionedAssetTimetable" else None


def scheduled_partition(timetable: Json, fires: datetime) -> tuple[str | None, datetime | None]:
    """Return key and date of the partition that a run which is due at ``fires`` gets by its schedule; None twice for others."""
    if timetable.get("type") != "CronPartitionTimetable":
        return None, None
    cron = decode_timetable(timetable)
    assert isinstance(cron, CronPartitionTimetable)  # noqa: S101  the type says so
    date = cron.partition_date(fires)
    return cron.partition_key(date), date


def _cron_date(timetable: Json, key: str) -> datetime:
    pattern = timetable["key_format"]
    try:
        wall = datetime.strptime(key, pattern)
    except ValueError as error:
        text = f"Partition key {key!r} does not match the timetable's key_format {pattern!r}: {error}"
        raise PartitionKeyError(text) from error
    return wall_to_utc(wall, zone_of(timetable["timezone"])) if wall.tzinfo is None else wall.astimezone(UTC)


def _asset_date(timetable: Json, key: str) -> datetime | None:
    named = [leaf for leaf in leaves(timetable.get("asset_condition")) if leaf["type"] != "asset_alias"]
    mappers = [mapper_for(timetable, name=leaf.get("name") or "", uri=leaf.get("uri") or "") for leaf in named]
    try:
        return one_date(mappers, key, None)
    except ValueError as error:
        raise PartitionKeyError(f"Partition key {key!r} is invalid for this timetable's mappers: {error}") from error
