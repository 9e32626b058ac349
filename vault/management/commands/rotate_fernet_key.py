"""Decides the command ``manage.py rotate_fernet_key``: everything under the first key, while the platform runs."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.services import audit_write
from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output
from orchestrator.management.progress import Progress
from orchestrator.sdk.testing.table import render
from vault.keys import key_ids
from vault.rotation import BATCH, Rotated, counts, forget, rotate


class Command(AirflowCommand):
    """Named as in Airflow; ``--status`` and ``--forget`` are additions."""

    help = "Encrypt all stored secrets again with the first key of [core] fernet_key. It may be interrupted and repeated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch-size", type=int, default=BATCH, help="values per transaction (default: %(default)s)")
        parser.add_argument("--status", action="store_true", help="only count the values that each key wrote")
        parser.add_argument("--forget", metavar="KEY_ID", help="a key that is lost ('unknown': values without an id)")
        add_output(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch_size"] < 1:
            raise CommandError(f"--batch-size is {options['batch_size']}; it must be at least 1.")
        if options["status"]:
            self.stdout.write(render(_status(), options["output"]))
        elif options["forget"]:
            self._forget(options["forget"])
        else:
            self._rotate(options["batch_size"])

    def _rotate(self, batch: int) -> None:
        if not key_ids():
            raise CommandError("[core] fernet_key is empty: set it, newest key first, as in 'new,old'.")
        found = counts()
        with Progress("values encrypted again", found.total() - found[key_ids()[0]]) as progress:
            done = rotate(batch, progress.add)
        _audit("rotate_fernet_key", {"by_key": dict(done.by_key), "unreadable": len(done.unreadable)})
        self._say(done)

    def _say(self, done: Rotated) -> None:
        for key_id, number in sorted(done.by_key.items()):
            self.stdout.write(f"{number} values moved from key {key_id or '(none)'} to {key_ids()[0]}")
        if not done.by_key:
            self.stdout.write(f"Nothing was left to move: key {key_ids()[0]} wrote everything that can be read.")
        for name in done.unreadable:
            self.stderr.write(f"Cannot decrypt {name}")
        if done.unreadable:
            raise CommandError(f"{len(done.unreadable)} values could not be read; the others are done.")

    def _forget(self, key_id: str) -> None:
        if key_id in key_ids():
            raise CommandError(f"Key {key_id} is configured, so it is not lost.")
        number = forget("" if key_id == "unknown" else key_id)
        _audit("forget_fernet_key", {"key_id": key_id, "values": number})
        self.stdout.write(f"{number} values of key {key_id} are given up; enter them again.")


def _status() -> list[dict[str, Any]]:
    configured = key_ids()
    found = counts()
    names = [*configured, *(name for name in sorted(found) if name not in configured)]
    return [{"key": name or "unknown", "configured": name in configured, "values": found[name]} for name in names]


def _audit(event: str, extra: dict[str, Any]) -> None:
    audit_write(event, actor="cli", extra=extra)
