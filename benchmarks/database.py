"""Decides which database a platform gets: a SQLite file in its home, or a fresh one on a throw-away PostgreSQL server."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import PostgresServer, execute

KINDS = ("sqlite", "postgresql")
# Everything else is PostgreSQL's default, so a commit waits for the disk as it does in production.
SETTINGS = ("max_connections=200",)


@contextmanager
def database(kind: str, home: Path) -> Iterator[str]:
    """Give the URL of an empty database of that kind; its server ends with the block."""
    if kind == "sqlite":
        yield f"sqlite:///{home / 'airflow.db'}"
        return
    directory = Path(tempfile.mkdtemp(prefix="benchmark-"))
    directory.chmod(0o755)  # so that the server's own user may pass
    server = PostgresServer(directory / "postgresql", SETTINGS)
    try:
        server.start()
        execute(server.url("postgres"), "CREATE DATABASE airflow")
        yield server.url("airflow")
    finally:
        server.stop()
        directory.rmdir()
