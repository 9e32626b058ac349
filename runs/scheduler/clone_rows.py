"""Decides how thousands of rows that differ in id and map index only are written: the database copies one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connections, router, transaction

from runs.models import TaskInstance

CHUNK = 2000  # rows of one statement and transaction; two parameters each, SQLite takes 32,766


def create_indexes(ids: dict[int, UUID], values: dict[str, Any]) -> None:
    """Write a task instance with ``values`` for each map index; the first as an object, the others as its copies.

    Each part is its own transaction, so that nobody waits long for the lock. ``ids`` gives the ids by map index.
    """
    if not ids:
        return
    (first, first_id), *others = ids.items()
    with transaction.atomic():
        TaskInstance.objects.bulk_create([TaskInstance(id=first_id, map_index=first, **values)])
    for part in _parts(others):
        with transaction.atomic():
            _copy(first_id, part)


def _parts(pairs: Iterable[tuple[int, UUID]]) -> Iterable[list[tuple[int, UUID]]]:
    rest = iter(pairs)
    while part := list(islice(rest, CHUNK)):
        yield part


def _copy(source: UUID, pairs: Sequence[tuple[int, UUID]]) -> None:
    connection = connections[router.db_for_write(TaskInstance)]
    quote, fields = connection.ops.quote_name, TaskInstance._meta.concrete_fields
    own = {"id": "given.given_id", "map_index": "given.given_index"}
    names = {field.name: quote(str(field.column)) for field in fields}
    columns, chosen = ", ".join(names.values()), ", ".join(own.get(name) or f"source.{names[name]}" for name in names)
    rows = ", ".join(["(%s, %s)"] * len(pairs))
    table, key = quote(TaskInstance._meta.db_table), TaskInstance._meta.pk
    sql = (
        f"WITH given (given_id, given_index) AS (VALUES {rows}) INSERT INTO {table} ({columns}) "  # noqa: S608 - names, no values
        f"SELECT {chosen} FROM given CROSS JOIN {table} AS source WHERE source.{names[key.name]} = %s"
    )
    numbers = [value for index, ti_id in pairs for value in (key.get_db_prep_value(ti_id, connection), index)]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*numbers, key.get_db_prep_value(source, connection)])
