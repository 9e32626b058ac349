"""Decides whether a fresh encryption key may be made: not while the database holds secrets of a key that is not set."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from orchestrator.config import conf
from orchestrator.config.database_url import parse_database_url
from orchestrator.config.option import ConfigurationError

_QUERY = (
    "SELECT (SELECT count(*) FROM vault_connection WHERE is_encrypted OR is_extra_encrypted)"
    " + (SELECT count(*) FROM vault_variable WHERE is_encrypted)"
)


def refuse_fresh_key() -> None:
    """Raise ``ConfigurationError`` where no key is set and encrypted rows exist."""
    if conf.get("core", "fernet_key") or not (number := encrypted_rows()):
        return
    raise ConfigurationError(
        f"[core] fernet_key is not set, but the database holds {number} connections and variables that a key has encrypted. "
        "A fresh key could not open them: set the key that wrote them (AIRFLOW__CORE__FERNET_KEY, or fernet_key in "
        f"{conf.home / 'airflow.cfg'}). If it is lost, set a new one; `manage.py rotate_fernet_key --status` counts."
    )


def encrypted_rows() -> int:
    """Return how many rows of the database are encrypted; 0 where there is no database yet. It runs before Django."""
    entry = parse_database_url(conf.get("database", "sql_alchemy_conn"), conf.home, 5, 5)
    engine = entry["ENGINE"].rpartition(".")[2]
    count = {"sqlite3": _of_sqlite, "postgresql": _of_postgresql}.get(engine)
    return count(entry) if count else 0


def _of_sqlite(entry: dict[str, Any]) -> int:
    path = Path(entry["NAME"])
    if not path.is_file() or not path.stat().st_size:
        return 0
    with (
        contextlib.suppress(sqlite3.OperationalError),
        contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db,
    ):
        return int(db.execute(_QUERY).fetchone()[0])
    return 0


def _of_postgresql(entry: dict[str, Any]) -> int:
    import psycopg

    schema = conf.get("database", "sql_alchemy_schema")
    options = f"-c search_path={schema}" if schema else ""
    names = {"host": entry["HOST"], "port": entry["PORT"], "user": entry["USER"], "password": entry["PASSWORD"]}
    parts = {name: value for name, value in names.items() if value}
    with (
        contextlib.suppress(psycopg.Error),
        psycopg.connect(dbname=entry["NAME"], options=options, connect_timeout=5, **parts) as db,
    ):
        row = db.execute(_QUERY).fetchone()
        return int(row[0]) if row else 0
    return 0
