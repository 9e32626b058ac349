"""Decides how the server asks a stored partition mapper: its own classes here, those of plugins in their child (ADR 0011).

A stored mapper is the JSON object that ``partitions.codec.encode`` writes.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from dags_app.plugin_child import CHILD
from orchestrator.sdk.definitions.partitions.base import as_keys
from orchestrator.sdk.definitions.partitions.codec import decode, needs_plugin

Json = Any


def downstream_keys(mapper: Json, key: str) -> list[str]:
    """Return the keys of the runs that an event with ``key`` counts for.

    Raises ``ValueError`` (or what the mapper raises) for a key that it does not take; ``NoAnswerError`` where a plugin is silent.
    """
    if needs_plugin(mapper):
        found: list[str] = _ask(mapper, "downstream", key=key)
        return found
    own = decode(mapper)
    return as_keys(own.to_downstream(key), own)


def expected_keys(mapper: Json, key: str) -> frozenset[str] | None:
    """Return the upstream keys that make up the period of a downstream key; None for a mapper that waits for none."""
    found = _expected(mapper, key)
    return found[0] if found else None


def is_complete(mapper: Json, key: str, arrived: Collection[str]) -> bool:
    """Return whether the keys that arrived are enough for the run with ``key``; without a rollup one is."""
    found = _expected(mapper, key)
    if found is None:
        return bool(arrived)
    expected, policy = found
    return bool(policy.is_satisfied(len(expected & set(arrived)), len(expected)))


def partition_date(mapper: Json, key: str) -> datetime | None:
    """Return the instant that a downstream key stands for; None where it stands for none. Raises ``ValueError``."""
    if needs_plugin(mapper):
        return _instant(_ask(mapper, "date", key=key))
    found: datetime | None = decode(mapper).to_partition_date(key)
    return found


def carried_date(mapper: Json, date: datetime | None) -> datetime | None:
    """Return what the run takes over of the partition date of the run that made the event: with the same key the same date."""
    if needs_plugin(mapper):
        return _instant(_ask(mapper, "carry", date=date.isoformat() if date else None))
    found: datetime | None = decode(mapper).carry_partition_date(date)
    return found


def most_keys(mapper: Json, default: int) -> int:
    """Return how many runs one event may count for."""
    return int(mapper["max_downstream_keys"]) if mapper.get("max_downstream_keys") is not None else default


def _expected(mapper: Json, key: str) -> tuple[frozenset[str], Any] | None:
    if needs_plugin(mapper):
        answer = _ask(mapper, "upstream", key=key)
        return None if answer is None else (frozenset(answer["keys"]), decode(answer["policy"]))
    own = decode(mapper)
    return (own.to_upstream(key), own.wait_policy) if own.is_rollup else None


def _ask(mapper: Json, ask: str, **facts: Json) -> Any:
    return CHILD.ask({"mapper": mapper, "ask": ask, **facts})


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
