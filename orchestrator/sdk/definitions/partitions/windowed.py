"""Decides the mappers over windows: many upstream keys to one, and one to many."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from orchestrator.sdk.definitions.partitions.base import PartitionMapper, one_key
from orchestrator.sdk.definitions.partitions.temporal import StartOfDayMapper, StartOfHourMapper, StartOfMonthMapper
from orchestrator.sdk.definitions.partitions.windows import WaitForAll, WaitPolicy, Window


class RollupMapper(PartitionMapper):
    """Many upstream keys to one: the keys of a window are waited for."""

    is_rollup = True

    def __init__(
        self,
        *,
        max_downstream_keys: int | None = None,
        upstream_mapper: PartitionMapper,
        window: Window,
        wait_policy: WaitPolicy | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        _check_pair(upstream_mapper, window)
        self.upstream_mapper, self.window, self.wait_policy = upstream_mapper, window, wait_policy or WaitForAll()

    def facts(self) -> dict[str, Any]:
        """Return mapper, window and policy."""
        parts = {"upstream_mapper": self.upstream_mapper, "window": self.window, "wait_policy": self.wait_policy}
        return {**parts, **super().facts()}

    def to_downstream(self, key: str) -> Any:
        """Return what the upstream mapper makes of a key."""
        return self.upstream_mapper.to_downstream(key)

    def to_upstream(self, downstream_key: str) -> frozenset[str]:
        """Return the upstream keys that make up the period of a downstream key."""
        parts = self.window.to_upstream(self.upstream_mapper.decode_downstream(downstream_key))
        return frozenset(self.upstream_mapper.encode_upstream(part) for part in parts)

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        """Return what the upstream mapper says: it wrote the key."""
        return self.upstream_mapper.to_partition_date(downstream_key)


class FanOutMapper(PartitionMapper):
    """One upstream key to the many keys of a window."""

    default_downstream_mapper_by_window_name: ClassVar[dict[str, Any]] = {
        "DayWindow": StartOfHourMapper,
        "WeekWindow": StartOfDayMapper,
        "MonthWindow": StartOfDayMapper,
        "QuarterWindow": StartOfMonthMapper,
        "YearWindow": StartOfMonthMapper,
    }

    def __init__(
        self,
        *,
        upstream_mapper: PartitionMapper,
        window: Window,
        downstream_mapper: PartitionMapper | None = None,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.upstream_mapper, self.window = upstream_mapper, window
        self.downstream_mapper = downstream_mapper or self._usual_for(window)

    @classmethod
    def _usual_for(cls, window: Window) -> PartitionMapper:
        usual = cls.default_downstream_mapper_by_window_name.get(type(window).__name__)
        if usual is None:
            raise ValueError(f"a {cls.__name__} over {type(window).__name__} needs a downstream_mapper")
        made: PartitionMapper = usual()
        return made

    def facts(self) -> dict[str, Any]:
        """Return mappers and window."""
        parts = {"upstream_mapper": self.upstream_mapper, "window": self.window, "downstream_mapper": self.downstream_mapper}
        return {**parts, **super().facts()}

    def to_downstream(self, key: str) -> list[str]:
        """Return the key of each part of the window that an upstream key stands for."""
        inner = self.upstream_mapper
        coarse = one_key(inner.to_downstream(key), inner, "the upstream_mapper of a FanOutMapper")
        return [self._written(part) for part in self.window.to_upstream(inner.decode_downstream(coarse))]

    def _written(self, part: Any) -> str:
        write = getattr(self.downstream_mapper, "format", None)
        if callable(write):
            return str(write(part))
        return part.isoformat() if isinstance(part, datetime) else str(part)

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        """Return what the downstream mapper says: it wrote the key."""
        return self.downstream_mapper.to_partition_date(downstream_key)


def _check_pair(mapper: PartitionMapper, window: Window) -> None:
    gives, takes = mapper.expected_decoded_type, window.expected_decoded_type
    if gives is not takes:
        raise TypeError(
            f"{type(window).__name__} takes keys that decode to {takes.__name__}, and those of {type(mapper).__name__} decode to "
            f"{gives.__name__}: choose a window and an upstream_mapper with the same expected_decoded_type"
        )
