"""Decides what is asked of a partition mapper of a plugin, and how it is answered.

``ask`` is ``downstream`` (the keys that a ``key`` counts for), ``upstream`` (the keys that a downstream ``key`` waits for, with
the wait policy; null where it waits for none), ``date`` (what a downstream ``key`` stands for) or ``carry`` (what becomes of a
``date``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.sdk.definitions.partitions.base import PartitionMapper, as_keys
from orchestrator.sdk.definitions.partitions.codec import decode, encode
from orchestrator.sdk.definitions.timetables.instants import as_utc


def answer(request: Mapping[str, Any]) -> Any:
    """Return the answer as JSON types; raises what the mapper raises."""
    mapper = decode(request["mapper"])
    if request["ask"] == "downstream":
        return as_keys(mapper.to_downstream(request["key"]), mapper)
    if request["ask"] == "upstream":
        return _upstream(mapper, request["key"])
    if request["ask"] == "date":
        return _text(mapper.to_partition_date(request["key"]))
    date = request["date"]
    return _text(mapper.carry_partition_date(datetime.fromisoformat(date) if date else None))


def _upstream(mapper: Any, key: str) -> Any:
    if not mapper.is_rollup:
        return None
    return {"keys": sorted(_all_texts(mapper, mapper.to_upstream(key))), "policy": encode(mapper.wait_policy)}


def _all_texts(mapper: PartitionMapper, keys: Any) -> set[str]:
    return set(as_keys(list(keys), mapper))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else as_utc(moment).isoformat()
