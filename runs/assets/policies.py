"""Decides which of the waiting events of a consumer make its next run, under its ``event_policy``; pure (C23-b)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from runs.assets.conditions import AssetKey, Names, is_met

Json = Any


class EventPolicy(StrEnum):
    """What a run takes: all that waits (as in Airflow), one event, all that came within a window, the newest of each asset."""

    BATCH = "batch"
    EACH = "each"
    WINDOW = "window"
    LATEST = "latest"


# Under these the next run also tells of the events that started none, as in Airflow; under the others such an event is over.
TELLING = (EventPolicy.BATCH, EventPolicy.WINDOW)


@dataclass(frozen=True, slots=True)
class WaitingAsset:
    """The events of one asset that wait for a consumer: how many, the ids of the first and last, since when the first waits."""

    asset_id: int
    number: int
    oldest: int
    newest: int
    since: datetime


def first_match(condition: Json, waiting: Mapping[AssetKey, WaitingAsset], names: Names) -> list[WaitingAsset]:
    """Return the assets whose oldest events together just meet a condition, in the order of these events; none: not met.

    Event by event is added until the condition is met. Of those, what it does not need is left out, the younger first.
    """
    order = sorted(waiting, key=lambda key: waiting[key].oldest)
    until = next((number for number in range(1, len(order) + 1) if is_met(condition, order[:number], names)), 0)
    needed = order[:until]
    for key in reversed(needed[:-1]):
        rest = [other for other in needed if other != key]
        needed = rest if is_met(condition, rest, names) else needed
    return [waiting[key] for key in needed]


def due_at(policy: str, window: float | None, match: list[WaitingAsset]) -> datetime | None:
    """Return when the window of a match closes, which the event opens that completes it; None where there is no window."""
    return match[-1].since + timedelta(seconds=window or 0) if policy == EventPolicy.WINDOW else None


def chosen(policy: str, match: list[WaitingAsset], waiting: Mapping[AssetKey, WaitingAsset]) -> list[int] | None:
    """Return the ids of the events that the run takes; None for all that wait."""
    if policy == EventPolicy.EACH:
        return [asset.oldest for asset in match]
    if policy == EventPolicy.LATEST:
        return sorted(asset.newest for asset in waiting.values())
    return None
