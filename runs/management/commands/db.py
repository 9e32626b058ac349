"""Decides the command ``manage.py db``: check, migrate, reset and clean the metadata database, with Airflow's flags."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, connection, transaction

from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output, add_yes
from orchestrator.management.migrating import migrate, migrations_missing
from orchestrator.management.progress import Progress

BATCH_ROWS = 500
PAUSE_SECONDS = 0.05


class Command(AirflowCommand):
    """``manage.py db check|check-migrations|migrate|reset|shell|clean|export-archived|drop-archived``."""

    help = "Look after the metadata database."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add one parser per action."""
        actions = parser.add_subparsers(dest="action", required=True)
        check = actions.add_parser("check", help="can the database be reached")
        check.add_argument("--retry", type=int, default=0, help="how often to try again")
        check.add_argument("--retry-delay", type=int, default=1, help="seconds between two tries")
        state = actions.add_parser("check-migrations", help="are all migrations done; waits for them")
        state.add_argument("-t", "--migration-wait-timeout", type=int, default=60, help="seconds to wait; 0 looks once")
        forward = actions.add_parser("migrate", help="bring the schema up to date")
        forward.add_argument("-s", "--show-sql-only", action="store_true", help="print what would be done")
        reset = actions.add_parser("reset", help="delete everything and begin anew")
        reset.add_argument("-s", "--skip-init", action="store_true", help="only delete")
        add_yes(reset)
        for action in (forward, reset):
            action.add_argument(
                "-m", "--use-migration-files", action="store_true", help="taken for compatibility: migrations are always used"
            )
        actions.add_parser("shell", help="the database's own shell")
        self._add_archives(actions)

    def _add_archives(self, actions: Any) -> None:
        clean = actions.add_parser("clean", help="delete old rows; what is unfinished or in use stays")
        clean.add_argument("--clean-before-timestamp", help="ISO date or time: rows from before it go; not needed for a dry run")
        clean.add_argument("--dry-run", action="store_true", help="count what would go, with size and growth of each table")
        clean.add_argument("--skip-archive", action="store_true", help="do not keep the rows in files below <home>/archive")
        clean.add_argument("--batch-size", type=int, default=BATCH_ROWS, help="most rows of one transaction")
        clean.add_argument("--dag-ids", action="append", default=[], help="only rows of these DAGs, separated by commas")
        clean.add_argument("--exclude-dag-ids", action="append", default=[], help="no rows of these DAGs")
        clean.add_argument("--error-on-cleanup-failure", action="store_true", help="exit code 1 where a table failed")
        export = actions.add_parser("export-archived", help="write the files of clean as CSV")
        export.add_argument("--export-format", choices=["csv"], default="csv")
        export.add_argument("--output-path", required=True, type=Path, help="a folder that exists")
        export.add_argument("--drop-archives", action="store_true", help="delete the files after that")
        drop = actions.add_parser("drop-archived", help="delete the files of clean")
        for action in (clean, export, drop):
            action.add_argument("-t", "--tables", help="names separated by commas")
            add_yes(action)
        add_output(clean)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one action."""
        getattr(self, f"_{options['action'].replace('-', '_')}")(options)

    def _check(self, options: dict[str, Any]) -> None:
        for left in range(options["retry"], -1, -1):
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
            except DatabaseError as error:
                if not left:
                    raise CommandError(f"The database cannot be reached: {error}") from error
                connection.close()
                time.sleep(options["retry_delay"])
            else:
                self.stdout.write("Connection successful.")
                return

    def _check_migrations(self, options: dict[str, Any]) -> None:
        until = time.monotonic() + options["migration_wait_timeout"]
        while True:
            missing = [str(step) for step in migrations_missing()]
            if not missing:
                self.stdout.write("All migrations are done.")
                return
            if time.monotonic() >= until:
                raise CommandError(f"{len(missing)} migrations are not done: {', '.join(missing)}. Run `manage.py db migrate`.")
            time.sleep(1)

    def _migrate(self, options: dict[str, Any]) -> None:
        if options["show_sql_only"]:
            self._show_sql()
            return
        migrate(self.stdout)

    def _show_sql(self) -> None:
        for step in migrations_missing():
            call_command("sqlmigrate", step.app_label, step.name, stdout=self.stdout)

    def _reset(self, options: dict[str, Any]) -> None:
        name = connection.settings_dict["NAME"]
        self.ask(f"This deletes every table of the database {name}. Go on?", options)
        with connection.cursor() as cursor:
            tables = connection.introspection.table_names(cursor)
        with connection.constraint_checks_disabled(), connection.cursor() as cursor:
            for table in tables:
                cascade = " CASCADE" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)}{cascade}")
        if not options["skip_init"]:
            migrate(self.stdout)

    def _shell(self, options: dict[str, Any]) -> None:
        call_command("dbshell")

    def _clean(self, options: dict[str, Any]) -> None:
        from orchestrator.kernel.clock import utcnow
        from runs.retention.archive import Archive
        from runs.retention.rules import rules_before

        tables = _tables(options["tables"])
        if options["dry_run"]:
            self._foresee(options, tables)
            return
        if not options["clean_before_timestamp"]:
            raise CommandError("--clean-before-timestamp is missing: rows from before that time go, such as 2026-01-31")
        before = _instant(options["clean_before_timestamp"])
        only, without = _names(options["dag_ids"]), _names(options["exclude_dag_ids"])
        rules = rules_before(before, batch=max(1, options["batch_size"]), only=only, without=without)
        self.ask(
            f"Rows from before {before.isoformat()} of {', '.join(sorted(tables)) if tables else 'all tables'} go. Go on?",
            options,
        )
        with Archive(utcnow()) as archive, Progress("rows deleted") as progress:
            gone = self._delete(rules, tables, None if options["skip_archive"] else archive, options, progress)
        for table, rows in sorted(gone.items()):
            self.stdout.write(f"{table}: {rows} rows deleted")
        self.stdout.write(f"{sum(gone.values())} rows deleted")

    def _delete(
        self, rules: Any, tables: Collection[str] | None, archive: Any, options: dict[str, Any], progress: Progress
    ) -> Counter[str]:
        from runs.retention.chunks import chunk_delete, chunks, large_values
        from runs.retention.files import large_values_remove, run_files_remove

        gone: Counter[str] = Counter()
        try:
            for chunk in chunks(rules, tables):  # how many there will be only a dry run counts
                if archive is not None:
                    archive.write(chunk.table, chunk.rows)
                values = large_values(chunk)
                with transaction.atomic():
                    rows, runs = chunk_delete(chunk)
                run_files_remove(runs)
                large_values_remove(values)
                gone[chunk.table] += rows
                progress.add(rows, f"now {chunk.table}")
                time.sleep(PAUSE_SECONDS)
        except DatabaseError as error:
            self.stderr.write(f"Stopped: {error}. What was deleted so far stays deleted; run the command again to go on.")
            if options["error_on_cleanup_failure"]:
                raise SystemExit(1) from error
        return gone

    def _foresee(self, options: dict[str, Any], tables: Collection[str] | None) -> None:
        from orchestrator.kernel.clock import utcnow
        from orchestrator.sdk.testing.table import render
        from runs.retention.counts import rows_that_go
        from runs.retention.forecast import forecast
        from runs.retention.rules import configured_rules, rules_before

        now, text = utcnow(), options["clean_before_timestamp"]
        only, without = _names(options["dag_ids"]), _names(options["exclude_dag_ids"])
        rules = rules_before(_instant(text), batch=BATCH_ROWS, only=only, without=without) if text else configured_rules(now)
        going = rows_that_go(rules, tables)
        rows = [
            {
                "table": size.table,
                "rows": size.rows,
                "would_go": going[size.table],
                "rows_per_day": size.rows_per_day,
                "bytes": size.bytes,
                "bytes_in_30_days": size.bytes_in_30_days,
            }
            for size in forecast(now)
            if tables is None or size.table in tables
        ]
        self.stdout.write(render(rows, options["output"]))

    def _export_archived(self, options: dict[str, Any]) -> None:
        from runs.retention.archive import archives, export_csv

        if not options["output_path"].is_dir():
            raise CommandError(f"--output-path {options['output_path']}: there is no such folder")
        found = list(archives(_tables(options["tables"])))
        if options["drop_archives"]:
            self.ask(f"{len(found)} archives are deleted after the export. Go on?", options)
        for path in found:
            self.stdout.write(str(export_csv(path, options["output_path"])))
            if options["drop_archives"]:
                path.unlink()

    def _drop_archived(self, options: dict[str, Any]) -> None:
        from runs.retention.archive import archives

        found = list(archives(_tables(options["tables"])))
        if found:
            self.ask(f"{len(found)} archives are deleted: {', '.join(path.name for path in found[:5])} … Go on?", options)
        for path in found:
            path.unlink()
        self.stdout.write(f"{len(found)} archives deleted")


def _tables(text: str | None) -> frozenset[str] | None:
    from runs.retention.chunks import table_names

    if not text:
        return None
    names, known = frozenset(name.strip() for name in text.split(",") if name.strip()), table_names()
    if unknown := sorted(names - set(known)):
        raise CommandError(f"There are no tables {', '.join(unknown)}; there are {', '.join(known)}.")
    return names


def _names(given: list[str]) -> frozenset[str]:
    return frozenset(name.strip() for text in given for name in text.split(",") if name.strip())


def _instant(text: str) -> datetime:
    from orchestrator.sdk.definitions.timetables.instants import as_utc

    try:
        return as_utc(datetime.fromisoformat(text))
    except ValueError as error:
        raise CommandError(
            f"--clean-before-timestamp {text!r} is no ISO date such as 2026-01-31 or 2026-01-31T06:00+00:00"
        ) from error
