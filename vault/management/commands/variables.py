"""Decides the command ``manage.py variables``; actions, flags and answers are Airflow's."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts.services import audit_write
from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output
from orchestrator.management.progress import Progress
from orchestrator.sdk.secrets.files import SecretsFileError
from orchestrator.sdk.testing.table import render
from vault.keys import UndecryptableError
from vault.management.commands.connections import write_private
from vault.models import Variable
from vault.selectors import variable_find
from vault.services import variable_delete, variable_set
from vault.transfer import ExistsError, exported, readable_variables, variables_import


class Command(AirflowCommand):
    """Everything that a person does with variables without the pages."""

    help = "List, read, write, export and import variables."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="all variables of the database")
        listing.add_argument("--show-values", action="store_true", help="show values, not only keys")
        listing.add_argument("--hide-sensitive", action="store_true", help="with --show-values: values as ***")
        add_output(listing)
        get = actions.add_parser("get", help="one variable, wherever it is kept")
        get.add_argument("-d", "--default", metavar="VAL", help="printed where there is no such variable")
        change = actions.add_parser("set", help="create or change a variable")
        change.add_argument("--description")
        delete = actions.add_parser("delete", help="delete a variable")
        for action in (get, change, delete):
            action.add_argument("key")
        change.add_argument("value", metavar="VALUE")
        for action, text in ((get, "the value is JSON; print it so"), (change, "store the value as JSON")):
            action.add_argument("-j", "--json", action="store_true", help=text)
        export = actions.add_parser("export", help="write all variables to a JSON file, '-' for the screen")
        load = actions.add_parser("import", help="read variables from a .json, .yaml, .yml or .env file")
        load.add_argument("-a", "--action-on-existing-key", choices=("overwrite", "fail", "skip"), default="overwrite")
        for action in (export, load):
            action.add_argument("file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(options)
        except (SecretsFileError, UndecryptableError, ExistsError) as error:
            raise CommandError(str(error)) from None

    def _list(self, options: dict[str, Any]) -> None:
        rows = [_shown(row, options) for row in Variable.objects.order_by("key")]
        self.stdout.write(render(rows, options["output"]))

    def _get(self, options: dict[str, Any]) -> None:
        value = variable_find(options["key"])
        if value is None and options["default"] is None:
            raise CommandError(f"Variable {options['key']} does not exist")
        if value is None:
            value = options["default"]
        elif options["json"]:
            value = _json(options["key"], value)
        self.stdout.write(str(value))

    def _set(self, options: dict[str, Any]) -> None:
        value = json.dumps(options["value"], indent=2) if options["json"] else options["value"]
        with transaction.atomic():
            variable_set(options["key"], value, description=options["description"])
            _audit("cli_variables_set", key=options["key"])
        self.stdout.write(f"Variable {options['key']} created")

    def _delete(self, options: dict[str, Any]) -> None:
        with transaction.atomic():
            if variable_delete(options["key"]):
                _audit("cli_variables_delete", key=options["key"])
        self.stdout.write(f"Variable {options['key']} deleted")

    def _export(self, options: dict[str, Any]) -> None:
        found, lost = readable_variables()
        for name in lost:
            self.stderr.write(f"Left out, cannot decrypt: {name}")
        values = {key: exported(text, description) for key, (text, description) in found.items()}
        write_private(self.stdout, options["file"], json.dumps(values, sort_keys=True, indent=4))
        _audit("cli_variables_export", keys=sorted(found))
        if options["file"] != "-":
            self.stdout.write(f"{len(found)} Variables successfully exported to {options['file']}.")

    def _import(self, options: dict[str, Any]) -> None:
        with Progress("variables imported") as progress, transaction.atomic():
            done = variables_import(options["file"], options["action_on_existing_key"], progress.through)
            _audit("cli_variables_import", keys=done.written)
        self.stdout.write(f"{len(done.written)} of {len(done.written) + len(done.there)} variables successfully updated.")
        if done.there:
            self.stdout.write(f"The variables with these keys: {done.there} were skipped because they already exists")


def _shown(row: Variable, options: dict[str, Any]) -> dict[str, Any]:
    if not options["show_values"]:
        return {"key": row.key}
    try:
        return {"key": row.key, "val": "***" if options["hide_sensitive"] else row.get_val()}
    except UndecryptableError as error:
        return {"key": row.key, "val": f"cannot decrypt ({error.short})"}


def _json(key: str, text: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise CommandError(f"Variable {key} holds no JSON: {error}") from None
    return found if isinstance(found, str) else json.dumps(found)


def _audit(event: str, **extra: Any) -> None:
    audit_write(event, actor="cli", extra=extra)
