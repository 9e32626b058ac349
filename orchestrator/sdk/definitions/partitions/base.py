"""Decides what a partition mapper is: the class that authors derive their own from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from orchestrator.sdk.definitions.partitions.facts import Facts


class PartitionMapper(Facts, ABC):
    """Base of mappers from a partition key of an asset to one or more of the DAG.

    An author's class overrides ``to_downstream``, and ``serialize`` and ``deserialize`` where it has facts of its own; a plugin
    lists it under ``partition_mappers``.
    """

    is_rollup: ClassVar[bool] = False
    #: What ``decode_downstream`` returns; a window that takes something else does not go with the mapper.
    expected_decoded_type: ClassVar[type] = str
    max_downstream_keys: int | None = None

    def __init__(self, *, max_downstream_keys: int | None = None) -> None:
        if max_downstream_keys is not None and (not isinstance(max_downstream_keys, int) or max_downstream_keys < 1):
            raise ValueError(f"max_downstream_keys must be a positive integer or None, not {max_downstream_keys!r}")
        self.max_downstream_keys = max_downstream_keys

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        decodes = cls.decode_downstream is not PartitionMapper.decode_downstream
        if decodes != (cls.encode_upstream is not PartitionMapper.encode_upstream):
            raise TypeError(f"{cls.__qualname__} must override both decode_downstream and encode_upstream, or neither")

    def facts(self) -> dict[str, Any]:
        """Return the limit."""
        return {"max_downstream_keys": self.max_downstream_keys}

    @abstractmethod
    def to_downstream(self, key: str) -> str | Iterable[str]:
        """Return the key or keys of the runs that an event with ``key`` counts for."""

    def decode_downstream(self, downstream_key: str) -> Any:
        """Return the period that a downstream key was written from, as windows take it."""
        return downstream_key

    def encode_upstream(self, decoded: Any) -> str:
        """Return the key that an upstream asset has for a part of a window."""
        return str(decoded)

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        """Return the instant that a downstream key stands for; None where it stands for none."""
        return None

    def carry_partition_date(self, source_partition_date: datetime | None) -> datetime | None:
        """Return what the run takes over of the partition date of the run that made the event."""
        return None


def as_keys(mapped: Any, mapper: PartitionMapper) -> list[str]:
    """Return what ``to_downstream`` gave as a list. Raises ``TypeError`` for what is no text."""
    keys = [mapped] if isinstance(mapped, str) or not isinstance(mapped, Iterable) else list(mapped)
    wrong = [key for key in keys if not isinstance(key, str)]
    if wrong:
        raise TypeError(f"{type(mapper).__name__} must give a text or several, not {wrong[0]!r}")
    return keys


def one_key(mapped: Any, mapper: PartitionMapper, where: str) -> str:
    """Return the one key that ``to_downstream`` gave. Raises ``ValueError`` for several, naming where they are not taken."""
    keys = as_keys(mapped, mapper)
    if len(keys) != 1:
        raise ValueError(f"{where} must give one key")
    return keys[0]
