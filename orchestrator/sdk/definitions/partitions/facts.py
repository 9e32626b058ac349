"""Decides what mappers, windows and wait policies have in common: facts, by which they are stored, compared and shown."""

from __future__ import annotations

from typing import Any, Self

Json = Any


class Facts:
    """Something that is stored as its class and its facts; subclasses of authors may give others with ``serialize``."""

    def facts(self) -> dict[str, Any]:
        """Return what the constructor was given."""
        return {}

    def serialize(self) -> dict[str, Any]:
        """Return the facts as JSON types."""
        return {name: _plain(value) for name, value in self.facts().items()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Build it from what ``serialize`` returned."""
        return cls(**{name: _read(value) for name, value in data.items()})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.facts().items())})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.serialize() == self.serialize()

    def __hash__(self) -> int:
        return hash(repr(self))


def _plain(value: Any) -> Json:
    from orchestrator.sdk.definitions.partitions.codec import encode

    if isinstance(value, Facts):
        return encode(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _read(value: Json) -> Any:
    from orchestrator.sdk.definitions.partitions.codec import decode

    if isinstance(value, dict) and "type" in value:
        return decode(value)
    return [_read(item) for item in value] if isinstance(value, list) else value
