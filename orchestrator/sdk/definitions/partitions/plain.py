"""Decides the mappers of keys that are names: the same, a fixed one, an allowed one, one after the other, part by part."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from orchestrator.sdk.definitions.partitions.base import PartitionMapper, as_keys, one_key
from orchestrator.sdk.definitions.partitions.codec import decode


class IdentityMapper(PartitionMapper):
    """The same key."""

    def to_downstream(self, key: str) -> str:
        """Return the key."""
        return key

    def carry_partition_date(self, source_partition_date: datetime | None) -> datetime | None:
        """Return the date: the same key stands for the same one."""
        return source_partition_date


class FixedKeyMapper(PartitionMapper):
    """Always the same key."""

    def __init__(self, downstream_key: str, *, max_downstream_keys: int | None = None) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        if not isinstance(downstream_key, str) or not downstream_key:
            raise ValueError(f"downstream_key must be a text that is not empty, not {downstream_key!r}")
        self.downstream_key = downstream_key

    def facts(self) -> dict[str, Any]:
        """Return the key."""
        return {"downstream_key": self.downstream_key, **super().facts()}

    def to_downstream(self, key: str) -> str:
        """Return the fixed key."""
        return self.downstream_key


class AllowedKeyMapper(PartitionMapper):
    """The same key, if it is a known one."""

    def __init__(self, allowed_keys: list[str], *, max_downstream_keys: int | None = None) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.allowed_keys = list(allowed_keys)

    def facts(self) -> dict[str, Any]:
        """Return the keys."""
        return {"allowed_keys": self.allowed_keys, **super().facts()}

    def to_downstream(self, key: str) -> str:
        """Return the key. Raises ``ValueError`` for another one."""
        if key not in self.allowed_keys:
            raise ValueError(f"Key {key!r} not in allowed keys {self.allowed_keys}")
        return key


class _SeveralMappers(PartitionMapper):
    """Mappers that are given one by one."""

    def __init__(
        self,
        mapper0: PartitionMapper,
        mapper1: PartitionMapper,
        /,
        *mappers: PartitionMapper,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.mappers = [mapper0, mapper1, *mappers]

    def facts(self) -> dict[str, Any]:
        """Return the mappers."""
        return {"mappers": self.mappers, **super().facts()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Build it from what ``serialize`` returned."""
        return cls(*map(decode, data["mappers"]), **{name: value for name, value in data.items() if name != "mappers"})


class ChainMapper(_SeveralMappers):
    """Mappers one after the other."""

    def to_downstream(self, key: str) -> list[str]:
        """Return what the last mapper makes of what the ones before it made."""
        keys = [key]
        for inner in self.mappers:
            keys = [mapped for each in keys for mapped in as_keys(inner.to_downstream(each), inner)]
        return keys

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        """Return what the last mapper says: it wrote the key."""
        return self.mappers[-1].to_partition_date(downstream_key)


class ProductMapper(_SeveralMappers):
    """One mapper per part of a key that is joined by ``delimiter``."""

    def __init__(
        self,
        mapper0: PartitionMapper,
        mapper1: PartitionMapper,
        /,
        *mappers: PartitionMapper,
        delimiter: str = "|",
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(mapper0, mapper1, *mappers, max_downstream_keys=max_downstream_keys)
        self.delimiter = delimiter

    def facts(self) -> dict[str, Any]:
        """Return mappers and delimiter."""
        return {"delimiter": self.delimiter, **super().facts()}

    def to_downstream(self, key: str) -> str:
        """Return the mapped parts, joined. Raises ``ValueError`` for another number of parts."""
        parts = key.split(self.delimiter)
        if len(parts) != len(self.mappers):
            raise ValueError(f"key {key!r} has {len(parts)} parts; {len(self.mappers)} mappers wait for one each")
        pairs = zip(self.mappers, parts, strict=True)
        return self.delimiter.join(
            one_key(inner.to_downstream(part), inner, "a mapper inside a ProductMapper") for inner, part in pairs
        )

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        """Return the date of the one part that is a date; with two it is unknown which of them is meant."""
        parts = downstream_key.split(self.delimiter)
        if len(parts) != len(self.mappers):
            return None
        found = [inner.to_partition_date(part) for inner, part in zip(self.mappers, parts, strict=True)]
        dates = [date for date in found if date is not None]
        return dates[0] if len(dates) == 1 else None
