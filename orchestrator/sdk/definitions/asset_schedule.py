"""Decides what a schedule made of assets becomes before the timetables see it."""

from __future__ import annotations

from typing import Any


def as_schedule(schedule: Any) -> Any:
    """Return an asset timetable for an asset, an asset expression or a list of assets, or none; anything else as it is."""
    if schedule is None or isinstance(schedule, str):
        return schedule
    from orchestrator.sdk.definitions.asset import AssetAll, BaseAsset
    from orchestrator.sdk.definitions.timetables import AssetTriggeredTimetable

    if isinstance(schedule, BaseAsset):
        return AssetTriggeredTimetable(schedule.serialize())
    if isinstance(schedule, list | tuple | set):
        wrong = [item for item in schedule if not isinstance(item, BaseAsset)]
        if wrong:
            raise ValueError(f"schedule= takes a list of assets only; it has {wrong!r:.100}")
        return AssetTriggeredTimetable(AssetAll(*schedule).serialize())
    return schedule
