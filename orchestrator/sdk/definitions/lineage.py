"""Decides what hooks may note about the data they read and write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class HookLineage:
    """What was noted."""

    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    extra: list[Any] = field(default_factory=list)


class HookLineageCollector:
    """Takes notes about assets; they are kept until the process ends."""

    def __init__(self, **_: Any) -> None:
        self._lineage = HookLineage()

    def add_input_asset(self, context: Any, **facts: Any) -> None:
        """Note an asset that was read."""
        self._lineage.inputs.append(facts)

    def add_output_asset(self, context: Any, **facts: Any) -> None:
        """Note an asset that was written."""
        self._lineage.outputs.append(facts)

    def add_extra(self, context: Any, key: str, value: Any) -> None:
        """Note anything else."""
        self._lineage.extra.append({"key": key, "value": value})

    @property
    def collected_assets(self) -> HookLineage:
        """Return the notes."""
        return self._lineage

    @property
    def has_collected(self) -> bool:
        """Return whether there are notes."""
        return bool(self._lineage.inputs or self._lineage.outputs or self._lineage.extra)


_collector = HookLineageCollector()


def get_hook_lineage_collector() -> HookLineageCollector:
    """Return the collector of this process."""
    return _collector
