"""Decides what a database URL means for Django and for psycopg."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from orchestrator.config.option import ConfigurationError, expand

POSTGRESQL = frozenset({"postgresql", "postgres", "pgsql"})
MYSQL = frozenset({"mysql", "mariadb"})

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout={milliseconds}; "
    "PRAGMA cache_size=-8000; PRAGMA mmap_size=134217728; PRAGMA temp_store=MEMORY;"
)


def parse_database_url(
    url: str, home: Path, connect_timeout: int = 10, busy_timeout: int = 20, schema: str = ""
) -> dict[str, Any]:
    """Django's ``DATABASES`` entry for an SQLAlchemy or plain URL; drivers such as ``+psycopg2`` are accepted and ignored.

    ``sqlite:////abs/path`` is absolute, ``sqlite:///rel`` is relative to ``home``. Timeouts are in seconds.
    Raises ConfigurationError for a URL that names no known database.
    """
    kind = url.split("://", 1)[0].split("+", 1)[0].lower() if "://" in url else ""
    if kind == "sqlite":
        return _sqlite(url, home, busy_timeout)
    if kind in POSTGRESQL:
        return _postgresql(url, connect_timeout, schema)
    if kind in MYSQL:
        return _server(url, "django.db.backends.mysql") | {
            "OPTIONS": {"connect_timeout": connect_timeout, "isolation_level": "read committed"}
        }
    raise ConfigurationError(
        f"[database] sql_alchemy_conn starts with {kind or url[:8]!r}: it must be sqlite:///…, postgresql://… or mysql://…"
    )


def _sqlite(url: str, home: Path, busy_timeout: int) -> dict[str, Any]:
    path = unquote(url.split("://", 1)[1].split("?", 1)[0])
    path = path.removeprefix("/")
    name = path if path == ":memory:" else str(home / expand(path, home))
    options = {
        "timeout": busy_timeout,
        "transaction_mode": "IMMEDIATE",
        "init_command": SQLITE_PRAGMAS.format(milliseconds=busy_timeout * 1000),
    }
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": options, "CONN_MAX_AGE": None}


def _postgresql(url: str, connect_timeout: int, schema: str) -> dict[str, Any]:
    entry = _server(url, "django.db.backends.postgresql")
    options: dict[str, Any] = {"connect_timeout": connect_timeout, "application_name": "orchestrator"} | dict(
        parse_qsl(urlsplit(url).query)
    )
    options.pop("async_fallback", None)
    # A statement that waits for a lock ends before its caller's lease does.
    options["options"] = " ".join(
        filter(None, [options.get("options", ""), "-c lock_timeout=30s", f"-c search_path={schema}" if schema else ""])
    )
    if "host" in options:
        entry["HOST"] = options.pop("host")
    return entry | {"OPTIONS": options, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


def _server(url: str, engine: str) -> dict[str, Any]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"[database] sql_alchemy_conn has a port that is not a number: {error}") from error
    return {
        "ENGINE": engine,
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(port or ""),
        "CONN_MAX_AGE": None,
    }
