"""Decides how rows become response bodies: one table of field names and sources per schema, compiled once."""

from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

Source = str | Callable[[Any], Any]


class Schema:
    """A response model by its name in the contract.

    ``sources`` maps each field to an attribute path (``"dag_run.run_after"``) or to a function of the row; a field
    whose attribute has the same name is given in ``same``.
    """

    def __init__(self, name: str, /, *same: str, **sources: Source) -> None:
        self.name = name
        named = {field: field for field in same} | sources
        self._getters = [(field, _getter(source)) for field, source in sorted(named.items())]

    def of(self, row: Any) -> dict[str, Any]:
        """Return the body for one row."""
        return {field: get(row) for field, get in self._getters}

    def optional(self, row: Any) -> dict[str, Any] | None:
        """Return the body, or None for no row."""
        return None if row is None else self.of(row)

    def extended(self, name: str, /, *same: str, **sources: Source) -> "Schema":
        """Return a schema with these fields more, or with other sources for some."""
        wider = Schema(name, *same, **sources)
        added = {field for field, _ in wider._getters}
        wider._getters = sorted([pair for pair in self._getters if pair[0] not in added] + wider._getters, key=lambda p: p[0])
        return wider

    def without(self, name: str, *fields: str) -> "Schema":
        """Return a schema that lacks some fields."""
        narrower = Schema(name)
        narrower._getters = [pair for pair in self._getters if pair[0] not in fields]
        return narrower


def instant(value: datetime | None) -> str | None:
    """Return an instant as Airflow prints it: UTC with ``Z``, microseconds only where there are any."""
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat()[:-6] + "Z"


def _getter(source: Source) -> Callable[[Any], Any]:
    return attrgetter(source) if isinstance(source, str) else source
