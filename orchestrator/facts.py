"""Decides under which names a query brings facts of other rows along, so that they clash with no field, and how they are read."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable

M = TypeVar("M", bound=Model)
F = TypeVar("F")


def annotate_facts(rows: QuerySet[M], columns: Mapping[str, Combinable]) -> QuerySet[M]:
    """Let a query bring columns along; ``read_facts`` reads them."""
    annotated: QuerySet[M] = rows.annotate(**{_column(name): column for name, column in columns.items()})
    return annotated


def read_facts(kind: type[F], row: Model) -> F:
    """Return the facts of a row as a dataclass, each of whose fields has the name of a column that was brought along."""
    return kind(**{item.name: getattr(row, _column(item.name)) for item in fields(kind)})  # type: ignore[arg-type]


def _column(name: str) -> Any:
    return f"fact_{name}"
