"""Decides the environment of the test process, before Django reads it: an empty home, and one of the two databases.

Loaded as a pytest plugin (``-p tests.environment`` in pyproject.toml), because a conftest comes after Django's settings.
``TEST_DATABASE=postgresql`` runs the tests on PostgreSQL, else they run on SQLite. The workers of xdist share the server that
the first process starts, and have a home each.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.postgres import PostgresServer

DATABASE = os.environ.get("TEST_DATABASE", "sqlite")
SERVER_URL = "TEST_POSTGRESQL_URL"
# What the developer's shell may hold, and no test may see.
_FOREIGN = ("AIRFLOW__", "ORCHESTRATOR_", "DATABASE_URL", "AIRFLOW_HOME")


def prepare() -> Path:
    """Clean the environment, make a home, start a database server where one is needed; return the home."""
    if DATABASE not in ("sqlite", "postgresql"):
        raise ValueError(f"TEST_DATABASE is {DATABASE!r}: it must be sqlite or postgresql")
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        del os.environ[name]
    directory = Path(tempfile.mkdtemp(prefix="orchestrator-tests-"))
    _at_exit(lambda: shutil.rmtree(directory, ignore_errors=True))
    home = directory / "home"
    (home / "dags").mkdir(parents=True)
    os.environ["AIRFLOW_HOME"] = str(home)
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    os.environ["AIRFLOW__API_AUTH__JWT_SECRET"] = "signs tokens in tests " * 4
    os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = _database_url(directory, home)
    return home


def _at_exit(action: Callable[[], None]) -> None:
    """Run the action when this process ends, and not when a fork of it does."""
    owner = os.getpid()
    atexit.register(lambda: action() if os.getpid() == owner else None)


def _database_url(directory: Path, home: Path) -> str:
    if DATABASE == "sqlite":
        return f"sqlite:///{home / 'airflow.db'}"
    if SERVER_URL not in os.environ:
        directory.chmod(0o755)  # so that the server's own user may pass
        server = PostgresServer(directory / "postgresql")
        _at_exit(server.stop)
        server.start()
        os.environ[SERVER_URL] = server.url("orchestrator")
    return os.environ[SERVER_URL]


HOME = prepare()
