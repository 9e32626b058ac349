"""What a database URL becomes for Django."""

from pathlib import Path

import pytest

from orchestrator.config.database_url import parse_database_url
from orchestrator.config.option import ConfigurationError

HOME = Path("/srv/home")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:////abs/airflow.db", "/abs/airflow.db"),
        ("sqlite:///rel/airflow.db", "/srv/home/rel/airflow.db"),
        ("sqlite:///{AIRFLOW_HOME}/airflow.db", "/srv/home/airflow.db"),
        ("sqlite+aiosqlite:////abs/a%20b.db", "/abs/a b.db"),
    ],
)
def test_sqlite_names_a_file_and_never_loses_a_writer(url: str, name: str) -> None:
    """C12-a: WAL, IMMEDIATE, at least 20 seconds of patience."""
    entry = parse_database_url(url, HOME)
    assert entry["NAME"] == name
    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert entry["OPTIONS"]["timeout"] >= 20
    assert "journal_mode=WAL" in entry["OPTIONS"]["init_command"]
    assert "synchronous=NORMAL" in entry["OPTIONS"]["init_command"]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg", "postgresql+asyncpg"])
def test_every_driver_of_postgresql_means_postgresql(scheme: str) -> None:
    entry = parse_database_url(f"{scheme}://me:p%40ss@db:5433/meta?sslmode=require", HOME, connect_timeout=3)
    assert entry["ENGINE"] == "django.db.backends.postgresql"
    assert (entry["USER"], entry["PASSWORD"], entry["HOST"], entry["PORT"], entry["NAME"]) == ("me", "p@ss", "db", "5433", "meta")
    assert entry["OPTIONS"]["sslmode"] == "require"
    assert entry["OPTIONS"]["connect_timeout"] == 3


def test_a_socket_directory_may_be_the_host() -> None:
    assert parse_database_url("postgresql:///meta?host=/var/run/postgresql", HOME)["HOST"] == "/var/run/postgresql"


def test_mysql_is_known() -> None:
    assert parse_database_url("mysql+mysqldb://me@db/meta", HOME)["ENGINE"] == "django.db.backends.mysql"


@pytest.mark.parametrize("url", ["oracle://x/y", "airflow.db", ""])
def test_another_database_is_refused_with_the_choices(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must be sqlite:///…, postgresql"):
        parse_database_url(url, HOME)


def test_a_port_that_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="port"):
        parse_database_url("postgresql://h:abc/d", HOME)
