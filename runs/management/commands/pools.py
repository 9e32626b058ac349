"""Decides the command ``manage.py pools``; actions, flags and answers are Airflow's."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts.services import audit_write
from orchestrator.database import notify_on_commit
from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output
from orchestrator.management.progress import Progress
from orchestrator.sdk.testing.table import render
from runs.changes import SCHEDULER_TOPIC
from runs.models import Pool

DEFAULT_POOL = "default_pool"


class Command(AirflowCommand):
    """Everything that a person does with pools without the pages."""

    help = "List, read, write, export and import pools."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="all pools")
        texts = {"get": "one pool", "set": "create or change a pool", "delete": "delete a pool"}
        named = [actions.add_parser(name, help=text) for name, text in texts.items()]
        for action in named:
            action.add_argument("pool", metavar="NAME")
        named[1].add_argument("slots", type=int, help="-1 means no limit")
        named[1].add_argument("description")
        named[1].add_argument("--include-deferred", action="store_true", help="deferred tasks take slots too")
        named[1].add_argument("--team-name", help="taken for compatibility")
        texts = {"export": "write all pools to a JSON file", "import": "read pools from a JSON file"}
        files = [actions.add_parser(name, help=text) for name, text in texts.items()]
        for action in files:
            action.add_argument("file", metavar="FILEPATH", help="a JSON file")
        for action in (listing, *named):
            add_output(action)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action']}")(options)

    def _list(self, options: dict[str, Any]) -> None:
        self._show(list(Pool.objects.order_by("pk")), options)

    def _get(self, options: dict[str, Any]) -> None:
        self._show([_pool(options["pool"])], options)

    def _set(self, options: dict[str, Any]) -> None:
        parts = {name: options[name] for name in ("slots", "description", "include_deferred")}
        _check(options["pool"], parts)
        with transaction.atomic():
            _write(options["pool"], parts)
            _tell("cli_pools_set", {"pool": options["pool"], **parts})
        self.stdout.write(f"Pool {options['pool']} created")

    def _delete(self, options: dict[str, Any]) -> None:
        if options["pool"] == DEFAULT_POOL:
            raise CommandError(f"{DEFAULT_POOL} cannot be deleted")
        with transaction.atomic():
            _pool(options["pool"]).delete()
            _tell("cli_pools_delete", {"pool": options["pool"]})
        self.stdout.write(f"Pool {options['pool']} deleted")

    def _export(self, options: dict[str, Any]) -> None:
        rows = {row.pool: _parts(row) for row in Pool.objects.order_by("pk")}
        Path(options["file"]).write_text(json.dumps(rows, sort_keys=True, indent=4), encoding="utf-8")
        self.stdout.write(f"Exported {len(rows)} pools to {options['file']}")

    def _import(self, options: dict[str, Any]) -> None:
        wanted = _read(Path(options["file"]))
        with Progress("pools imported") as progress, transaction.atomic():
            for name in progress.through(list(wanted)):
                _write(name, wanted[name])
            _tell("cli_pools_import", {"pools": sorted(wanted)})
        self.stdout.write(f"Uploaded {len(wanted)} pool(s)")

    def _show(self, rows: list[Pool], options: dict[str, Any]) -> None:
        shown = [
            {"pool": row.pool, "slots": str(row.slots), "description": row.description}
            | {"include_deferred": str(row.include_deferred), "team_name": None}
            for row in rows
        ]
        self.stdout.write(render(shown, options["output"]))


def _parts(row: Pool) -> dict[str, Any]:
    return {"slots": row.slots, "description": row.description, "include_deferred": row.include_deferred}


def _pool(name: str) -> Pool:
    row = Pool.objects.filter(pool=name).first()
    if row is None:
        raise CommandError(f"Pool {name} does not exist")
    return row


def _write(name: str, parts: dict[str, Any]) -> None:
    Pool.objects.update_or_create(pool=name, defaults=parts)


def _read(file: Path) -> dict[str, dict[str, Any]]:
    if not file.is_file():
        raise CommandError(f"Missing pools file {file}")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CommandError(f"{file} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise CommandError(f"{file} must hold an object of pool names, not a {type(found).__name__}.")
    wanted = {}
    for name, parts in found.items():
        if not isinstance(parts, dict):
            raise CommandError(f"Pool {name!r} in {file} must be an object with slots and description.")
        wanted[name] = {
            "slots": parts.get("slots"),
            "description": parts.get("description", ""),
            "include_deferred": parts.get("include_deferred", False),
        }
        _check(name, wanted[name])
    return wanted


def _check(name: str, parts: dict[str, Any]) -> None:
    slots = parts["slots"]
    if not isinstance(slots, int) or isinstance(slots, bool) or slots < -1:
        raise CommandError(f"Pool {name!r} has slots {slots!r}; it must be a whole number, -1 or more.")
    if not isinstance(parts["include_deferred"], bool):
        raise CommandError(f"Pool {name!r} has include_deferred {parts['include_deferred']!r}; it must be true or false.")
    if not name or len(name) > 256:
        raise CommandError(f"The pool name {name!r} must have 1 to 256 characters.")


def _tell(event: str, extra: dict[str, Any]) -> None:
    """Write the change down, and wake the scheduler: tasks may wait for these slots."""
    audit_write(event, actor="cli", extra=extra)
    notify_on_commit(SCHEDULER_TOPIC)
