"""Decides the order in which the doctor looks: what others hang on comes first, and is not asked again where it fails."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.doctor import configuration, database, machine, work
from orchestrator.doctor.findings import Check, Finding, Level, examined

_ALONE: tuple[tuple[str, Check], ...] = (
    ("configuration", configuration.values),
    ("jwt key", configuration.token_key),
    ("logs", machine.log_disk),
    ("executors", machine.executors),
    ("database", database.reachable),
)
_WITH_DATABASE: tuple[tuple[str, Check], ...] = (("schema", database.schema),)
_WITH_SCHEMA: tuple[tuple[str, Check], ...] = (
    ("clock", database.clock),
    ("fernet key", configuration.fernet_key),
    ("configuration of processes", configuration.fingerprints),
    ("processes", work.processes),
    ("parser", work.parser),
    ("dispatch", work.dispatch),
    ("bulk actions", work.bulk_actions),
)


def findings() -> Iterator[Finding]:
    """Yield what is found; without a database, or with an old schema, the checks that need it are left out."""
    yield from examined(_ALONE)
    if not database.is_reachable():
        return
    of_schema = list(examined(_WITH_DATABASE))
    yield from of_schema
    if all(item.level is not Level.FAIL for item in of_schema):
        yield from examined(_WITH_SCHEMA)
