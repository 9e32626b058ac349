"""Decides whether the database answers, has the right schema and the same time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.apps import apps
from django.db import DatabaseError, connection

from orchestrator.database import is_postgresql
from orchestrator.doctor.findings import Finding, fail, ok, warn
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.processes.models import Process

SLOW_SECONDS = 0.1
SKEW_WARNS_SECONDS, SKEW_FAILS_SECONDS = 1.0, 5.0


def reachable() -> Iterator[Finding]:
    """It answers, and quickly."""
    try:
        connection.ensure_connection()
        start = monotonic()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        seconds = monotonic() - start
    except DatabaseError as error:
        yield fail("database", f"it cannot be reached: {error}", "check [database] sql_alchemy_conn and that the server runs")
        return
    text = f"{connection.vendor} answers in {seconds * 1000:.1f} ms"
    if seconds > SLOW_SECONDS:
        yield warn("database", text, "look at the load of the database and at the network between")
    else:
        yield ok("database", text)


def is_reachable() -> bool:
    """Return whether the other checks of the database make sense."""
    try:
        connection.ensure_connection()
    except DatabaseError:
        return False
    return True


def schema() -> Iterator[Finding]:
    """All migrations are applied, and none that this version does not know."""
    from orchestrator.standalone.preparation import migration_names

    configs = list(apps.get_app_configs())
    here = {(config.label, name) for config in configs for name in migration_names(Path(config.path))}
    applied: set[tuple[str, str]] = set()
    if "django_migrations" in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations")
            applied = {(row[0], row[1]) for row in cursor.fetchall()}
    missing, labels = sorted(here - applied), {config.label for config in configs}
    newer = sorted(pair for pair in applied - here if pair[0] in labels)
    if missing:
        names = ", ".join(".".join(pair) for pair in missing[:3])
        yield fail("schema", f"{len(missing)} migrations are not applied: {names}", "run `manage.py migrate`")
    if newer:
        names = ", ".join(".".join(pair) for pair in newer[:3])
        yield warn("schema", f"the database knows migrations that this version does not: {names}", "install the newer version")
    if not missing and not newer:
        yield ok("schema", f"all {len(here)} migrations are applied")


def clock() -> Iterator[Finding]:
    """This machine, the database and the machines of the processes have the same time."""
    skew = _skew_of_database() if is_postgresql() else 0.0
    text = f"this machine and the database differ by {abs(skew):.2f} s"
    todo = "let NTP set the clocks of all machines"
    if abs(skew) >= SKEW_FAILS_SECONDS:
        yield fail("clock", text, todo)
    elif abs(skew) >= SKEW_WARNS_SECONDS:
        yield warn("clock", text, todo)
    else:
        yield ok("clock", text)
    ahead = Process.objects.filter(ended_at=None, heartbeat_at__gt=utcnow() + timedelta(seconds=SKEW_FAILS_SECONDS))
    for row in ahead.order_by("kind", "hostname")[:10]:
        yield fail("clock", f"{row.kind} on {row.hostname} writes heartbeats of the future ({row.heartbeat_at})", todo)


def _skew_of_database() -> float:
    before = utcnow()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (there,) = cursor.fetchone()
    after = utcnow()
    return float((there - (before + (after - before) / 2)).total_seconds())
