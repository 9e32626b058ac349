"""Decides which timetable an author's ``schedule=`` means, and how a timetable is written as JSON."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from orchestrator.sdk.definitions.registered import path_of, plugin_name
from orchestrator.sdk.definitions.timetables.base import AirflowTimetableInvalid, Json, Timetable
from orchestrator.sdk.definitions.timetables.deltas import is_delta
from orchestrator.sdk.definitions.timetables.events import EventsTimetable
from orchestrator.sdk.definitions.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable
from orchestrator.sdk.definitions.timetables.multiple import MultipleCronTriggerTimetable
from orchestrator.sdk.definitions.timetables.partition import CronPartitionTimetable
from orchestrator.sdk.definitions.timetables.simple import (
    AssetTriggeredTimetable,
    ContinuousTimetable,
    NullTimetable,
    OnceTimetable,
    PartitionedAtRuntime,
)
from orchestrator.sdk.definitions.timetables.trigger import CronTriggerTimetable, DeltaTriggerTimetable

_REGISTERED: dict[str, type[Timetable]] = {
    kind.__name__: kind
    for kind in (
        AssetTriggeredTimetable,
        ContinuousTimetable,
        CronDataIntervalTimetable,
        CronPartitionTimetable,
        CronTriggerTimetable,
        DeltaDataIntervalTimetable,
        DeltaTriggerTimetable,
        EventsTimetable,
        MultipleCronTriggerTimetable,
        NullTimetable,
        OnceTimetable,
        PartitionedAtRuntime,
    )
}

_ELSEWHERE = dict.fromkeys(("AssetOrTimeSchedule", "PartitionedAssetTimetable"), "orchestrator.sdk.definitions.asset_timetables")
"""Built-in timetables that need more than this package; their module is imported when one is met."""


def register_timetable(kind: type[Timetable]) -> None:
    """Make a timetable of a plugin known under its import path, on both sides of serialization."""
    _REGISTERED[path_of(kind)] = kind


_unknown: list[Callable[[dict[str, Json]], Timetable]] = []


def unknown_timetables(reader: Callable[[dict[str, Json]], Timetable]) -> None:
    """Say who stands for timetables of plugins where their classes may not be loaded: the server does (ADR 0011)."""
    _unknown[:] = [reader]


def encode_timetable(timetable: Timetable) -> dict[str, Json]:
    """Return the JSON form: ``type`` and the facts of ``serialize()``.

    Raises ``AirflowTimetableInvalid`` for a class that the server could not read back.
    """
    kind = type(timetable)
    name = kind.__name__
    if _kind_of(name) is not kind:
        name = path_of(kind)
    known = name if _kind_of(name) is kind else plugin_name(kind, _REGISTERED)
    if not known:
        raise AirflowTimetableInvalid(f"timetable class {name} is not registered; make it known through a plugin's `timetables`")
    return {"type": known, **timetable.serialize()}


def decode_timetable(document: dict[str, Json]) -> Timetable:
    """Read what ``encode_timetable`` wrote.

    Raises ``AirflowTimetableInvalid`` when the class is unknown or a fact is missing or wrong.
    """
    name = str(document.get("type", "")) if isinstance(document, dict) else repr(document)
    kind = _kind_of(name)
    if kind is None and _unknown and isinstance(document, dict):
        return _unknown[0](document)
    if kind is None:
        raise AirflowTimetableInvalid(
            f"timetable class {name!r} is not registered; make it known through a plugin's `timetables`"
        )
    try:
        return kind.deserialize({key: value for key, value in document.items() if key != "type"})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AirflowTimetableInvalid(f"timetable {name} cannot be read back: {error!r}") from error


def _kind_of(name: str) -> type[Timetable] | None:
    if name in _ELSEWHERE and name not in _REGISTERED:
        _REGISTERED[name] = getattr(importlib.import_module(_ELSEWHERE[name]), name)
    return _REGISTERED.get(name)


def timetable_from_schedule(schedule: Any, timezone: str | tzinfo = "UTC", *, create_intervals: bool = False) -> Timetable:
    """Return the timetable for what an author gave as ``schedule=``.

    :param schedule: None, a preset, a cron string, a timedelta, a relativedelta, or a timetable.
    :param timezone: zone in which a cron string is read.
    :param create_intervals: ``[scheduler] create_cron_data_intervals``: cut data intervals instead of firing at a moment.

    Raises ``ValueError`` naming a value that is none of these. A wrong cron string is found by ``validate()``.
    """
    if isinstance(schedule, Timetable):
        return schedule
    if schedule is None:
        return NullTimetable()
    if schedule == "@once":
        return OnceTimetable()
    if schedule == "@continuous":
        return ContinuousTimetable()
    if isinstance(schedule, str):
        return (CronDataIntervalTimetable if create_intervals else CronTriggerTimetable)(schedule, timezone)
    if is_delta(schedule):
        return (DeltaDataIntervalTimetable if create_intervals else DeltaTriggerTimetable)(schedule)
    raise ValueError(f"{schedule!r} is not a valid schedule.")
