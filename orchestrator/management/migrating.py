"""Decides how a migration of the database tells how far it is."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management import call_command
from django.core.management.commands.migrate import Command as Migrate
from django.db import connection

from orchestrator.management.progress import Progress


def migrations_missing() -> list[Any]:
    """Return the migrations that are not done, in their order. Raises ``DatabaseError``."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return [step for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def migrate(stdout: Any) -> None:
    """Bring the schema up to date: a bar on a terminal, Django's line per migration otherwise."""
    if not sys.stderr.isatty():
        call_command("migrate", interactive=False, stdout=stdout)
        return
    with Progress("migrations done", len(migrations_missing())) as progress:
        call_command(_Watched(progress), interactive=False, stdout=stdout)


class _Watched(Migrate):
    """Django's command, which counts instead of writing lines."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        """Count a migration that is done."""
        if action == "apply_success":
            self._progress.add(1, str(migration))
