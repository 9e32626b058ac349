"""Decides how tests get tables as large as a history makes them, without waiting for it: PostgreSQL fills them by itself.

Rows have ended, one a second before ``newest``; those of small tables one a day. What they name need not exist: foreign keys are
triggers, and triggers are off.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import connection, models

# Above the keys of rows that tests write one by one.
FIRST_KEY = 1_000_000
SMALL = 200


def fill(sizes: dict[type[models.Model], int], newest: datetime) -> None:
    """Write so many rows of each model in the caller's transaction and let the planner know them."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for model, size in sizes.items():
            columns = dict(_columns(model, sizes, newest))
            names = ", ".join(f'"{name}"' for name in columns)
            cursor.execute(
                f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {", ".join(columns.values())} FROM generate_series(1, {size}) n'
            )
            cursor.execute(f'ANALYZE "{model._meta.db_table}"')
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def _columns(model: type[models.Model], sizes: dict[type[models.Model], int], newest: datetime) -> Iterator[tuple[str, str]]:
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            target = field.related_model
            assert isinstance(target, type)
            key = "n" if field.unique else f"n % {sizes.get(target, SMALL)} + 1"
            yield field.column, _key(target._meta.pk, key)
        elif field.primary_key:
            yield field.column, _key(field, "n")
        elif not field.null or isinstance(field, models.DateTimeField):
            yield field.column, _value(field, newest, sizes[model])


def _key(field: models.Field[object, object] | None, number: str) -> str:
    if isinstance(field, models.ForeignKey):
        assert isinstance(field.related_model, type)
        return _key(field.related_model._meta.pk, number)
    if isinstance(field, models.IntegerField):
        return f"{FIRST_KEY} + {number}"
    text = f"md5('key' || ({number}))"
    return f"{text}::uuid" if isinstance(field, models.UUIDField) else text


def _value(field: models.Field[object, object], newest: datetime, size: int) -> str:
    if isinstance(field, models.DateTimeField):
        return f"'{newest.isoformat()}'::timestamptz - interval '{'1 day' if size <= SMALL else '1 second'}' * n"
    if isinstance(field, models.BooleanField):
        return "true"
    if isinstance(field, models.UUIDField):
        return "md5('value' || n)::uuid"
    if isinstance(field, models.IntegerField | models.FloatField):
        return "n"
    if isinstance(field, models.BinaryField):
        return "'1'::bytea"
    if isinstance(field, models.JSONField):
        return "'{}'::jsonb"
    return "'success'" if field.name == "state" else f"left('{field.name} ' || n, {field.max_length or 40})"


def sweep() -> None:
    """Take away what a rolled back ``fill`` left in the files of the tables and in what the planner knows; not in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
