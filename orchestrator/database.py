"""Decides what differs between SQLite and PostgreSQL outside of the ORM: wake-ups, pools, reconnecting."""

import logging
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, close_old_connections, connection, connections, transaction
from django.db.models import Model, QuerySet

from orchestrator.config import conf
from orchestrator.kernel.wakeup import PostgresWakeup, SocketWakeup, Wakeup, send

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Model)


def is_sqlite() -> bool:
    """True where the metadata database is SQLite."""
    return bool(connection.vendor == "sqlite")


def is_postgresql() -> bool:
    """True where the metadata database is PostgreSQL."""
    return bool(connection.vendor == "postgresql")


def for_update(rows: QuerySet[M]) -> QuerySet[M]:
    """Lock rows until the end of the transaction, without those that refer to them.

    On PostgreSQL a plain ``FOR UPDATE`` of a run would make everybody wait who inserts a row that belongs to it, although
    its key does not change: with the attempts locked first, that is a deadlock.
    """
    return rows.select_for_update(no_key=connection.features.has_select_for_no_key_update)


def wakeup_directory() -> str:
    """Where local wake-up sockets live."""
    return str(conf.home / "run")


def postgres_dsn() -> str:
    """The connection string of a dedicated psycopg connection to the same database."""
    from psycopg.conninfo import make_conninfo

    # A fresh wrapper gives the parameters that Django itself would use, also for a test database.
    params = connection.get_connection_params()
    plain = {key: value for key, value in params.items() if isinstance(value, str | int)}
    plain.pop("prepare_threshold", None)
    return make_conninfo("", **plain)


def wakeup_for(topic: str) -> Wakeup:
    """A receiver for ``topic``, such as ``scheduler``; the caller closes it."""
    if is_postgresql():
        return PostgresWakeup(postgres_dsn(), topic)
    return SocketWakeup(wakeup_directory(), topic)


def notify_on_commit(topic: str) -> None:
    """Wake everybody who waits for ``topic`` when this transaction commits; once per transaction and topic.

    Outside of a transaction it wakes at once. A rolled back transaction wakes nobody.
    """
    if is_postgresql():
        if _is_first_in_transaction(topic):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, '')", [topic])
        return
    if _is_first_in_transaction(topic):
        transaction.on_commit(lambda: send(wakeup_directory(), topic), robust=True)


def _is_first_in_transaction(topic: str) -> bool:
    """False where the topic is already announced. ``on_commit`` functions die with their savepoint, and so does the mark."""
    if not connection.in_atomic_block:
        return True
    if any(getattr(entry[1], "wakes_topic", None) == topic for entry in connection.run_on_commit):
        return False
    transaction.on_commit(_Mark(topic))
    return True


class _Mark:
    """Remembers in the transaction itself that a topic is announced."""

    def __init__(self, topic: str) -> None:
        self.wakes_topic = topic

    def __call__(self) -> None:
        """Nothing to do on commit."""


def refresh_connection() -> None:
    """Drop a connection that broke or grew too old; services call it at each wake."""
    close_old_connections()


def use_connection_pool() -> None:
    """Share PostgreSQL connections between this process's threads; only the API server calls it, before its first query."""
    if not is_postgresql() or not conf.get("database", "sql_alchemy_pool_enabled"):
        return
    size = conf.get("database", "sql_alchemy_pool_size")
    entry: dict[str, Any] = connections[DEFAULT_DB_ALIAS].settings_dict
    entry["CONN_MAX_AGE"] = 0
    entry["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": size + conf.get("database", "sql_alchemy_max_overflow"),
        "timeout": conf.get("database", "connect_timeout_seconds"),
        "max_lifetime": conf.get("database", "sql_alchemy_pool_recycle"),
    }


def close_connections_before_fork() -> None:
    """Close connections and pools, so that a child never shares a socket with its parent."""
    connections.close_all()
    close_pool = getattr(connection, "close_pool", None)
    if close_pool is not None and is_postgresql():
        close_pool()
