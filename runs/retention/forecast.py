"""Decides how large each table is, how fast it grows, and how large it will be: estimates, made on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Model

from orchestrator.database import is_postgresql
from runs.models import DagRun
from runs.retention.chunks import RUN_TABLE, run_models
from runs.retention.tables import FLAT, table_name

GROWTH_DAYS = 7
AHEAD_DAYS = 30


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table: rows and bytes (with indexes) now, new rows per day of the last week, bytes in 30 days if nothing goes."""

    table: str
    rows: int
    bytes: int
    rows_per_day: float
    bytes_in_30_days: int


def forecast(now: datetime) -> list[TableSize]:
    """Return all tables that can be cleaned, the largest first.

    Tables of runs are estimated from the number of new runs and of rows per run. On PostgreSQL rows are the planner's count.
    """
    since = now - timedelta(days=GROWTH_DAYS)
    runs, sizes = _rows(DagRun), _bytes()
    runs_per_day = DagRun.objects.filter(run_after__gte=since, run_after__lt=now).count() / GROWTH_DAYS
    found = [_size(RUN_TABLE, DagRun, runs, runs_per_day, sizes)]
    for model in run_models():
        rows = _rows(model)
        if not any(flat.model is model for flat in FLAT):
            found.append(_size(table_name(model), model, rows, rows / runs * runs_per_day if runs else 0.0, sizes))
    for flat in FLAT:
        new = flat.model._default_manager.filter(**{f"{flat.age}__gte": since, f"{flat.age}__lt": now}).count()
        found.append(_size(flat.table, flat.model, _rows(flat.model), new / GROWTH_DAYS, sizes))
    return sorted(found, key=lambda one: (-one.bytes, -one.rows, one.table))


def _size(table: str, model: type[Model], rows: int, per_day: float, sizes: dict[str, int]) -> TableSize:
    size = sizes.get(model._meta.db_table, 0)
    ahead = size + int(per_day * AHEAD_DAYS * size / rows) if rows else size
    return TableSize(table, rows, size, round(per_day, 1), ahead)


def _rows(model: type[Model]) -> int:
    if is_postgresql():
        found = _query("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", [model._meta.db_table])
        if found and found[0][0] > 10_000:
            return int(found[0][0])
    return model._default_manager.count()


def _bytes() -> dict[str, int]:
    """Bytes of each table with its indexes; nothing where the database does not tell (SQLite without dbstat)."""
    if is_postgresql():
        statement = (
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = %s::regnamespace"
        )
        return {name: int(size) for name, size in _query(statement, [_schema()])}
    if not any("ENABLE_DBSTAT_VTAB" in row[0] for row in _query("PRAGMA compile_options", [])):
        return {}
    statement = "SELECT m.tbl_name, SUM(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name GROUP BY m.tbl_name"
    return {name: int(size) for name, size in _query(statement, [])}


def _schema() -> str:
    return str(_query("SELECT current_schema()", [])[0][0])


def _query(statement: str, values: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
