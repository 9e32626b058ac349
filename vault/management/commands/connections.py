"""Decides the command ``manage.py connections``; actions, flags and answers are Airflow's."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts.services import audit_write
from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_color, add_output, json_of
from orchestrator.management.progress import Progress
from orchestrator.sdk.definitions.connection import Connection as Parsed
from orchestrator.sdk.secrets.files import SecretsFileError, connection_of
from orchestrator.sdk.testing.table import render
from vault.connection_rules import id_problem, part_problem
from vault.connection_types import type_hint
from vault.keys import UndecryptableError
from vault.models import Connection
from vault.services import connection_delete, connection_set, connections_create_defaults
from vault.transfer import FORMATS, SERIALIZATIONS, connections_import, connections_text, parsed, readable_connections

_PARTS = ("description", "extra", "host", "login", "password", "port", "schema", "type")


class Command(AirflowCommand):
    """Everything that a person does with connections without the pages."""

    help = "List, read, write, export and import connections."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="all connections of the database")
        listing.add_argument("--show-values", action="store_true", help="show values, not only ids")
        listing.add_argument("--hide-sensitive", action="store_true", help="with --show-values: passwords, URI and extra as ***")
        add_output(listing)
        get = actions.add_parser("get", help="one connection, wherever it is kept, with its secrets")
        add_output(get)
        add = actions.add_parser("add", help="create a connection")
        for part in _PARTS:
            add.add_argument(f"--conn-{part}", type=int if part == "port" else str)
        add.add_argument("--conn-json", help="the whole connection as a JSON object")
        add.add_argument("--conn-uri", help="the whole connection as a URI")
        texts = {"delete": "delete a connection", "test": "try a connection; exit code 1 where it fails"}
        others = [actions.add_parser(name, help=text) for name, text in texts.items()]
        for action in (get, add, *others):
            action.add_argument("conn_id")
        for action in (get, others[0]):
            add_color(action)
        export = actions.add_parser("export", help="write all connections to a file, '-' for the screen")
        export.add_argument("file")
        export.add_argument("--file-format", "--format", choices=FORMATS, help="default: the file's extension, else json")
        export.add_argument("--serialization-format", choices=SERIALIZATIONS, help="of an env file (default: uri)")
        load = actions.add_parser("import", help="read connections from a .json, .yaml, .yml or .env file")
        load.add_argument("file")
        load.add_argument("--overwrite", action="store_true", help="replace connections that exist")
        actions.add_parser("create-default-connections", help="create those that Airflow's examples expect")

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"].replace("-", "_")
        try:
            getattr(self, f"_{action}")(options)
        except (SecretsFileError, UndecryptableError) as error:
            raise CommandError(str(error)) from None

    def _list(self, options: dict[str, Any]) -> None:
        rows = list(Connection.objects.order_by("conn_id"))
        if not options["show_values"]:
            self.stdout.write(render([{"conn_id": r.conn_id, "conn_type": r.conn_type} for r in rows], options["output"]))
            return
        self.stdout.write(render([_shown(row, options["hide_sensitive"]) for row in rows], options["output"]))

    def _get(self, options: dict[str, Any]) -> None:
        from vault.selectors import connection_find

        row = Connection.objects.filter(conn_id=options["conn_id"]).first()
        if row is not None:
            self.stdout.write(render([_shown(row, False)], options["output"]))
            return
        try:
            found = connection_find(options["conn_id"])
        except ValueError as error:
            raise CommandError(str(error)) from None
        if found is None:
            raise CommandError("Connection not found.")
        parts = {name: getattr(found, name) for name in Parsed.__dataclass_fields__}
        self.stdout.write(render([_columns(Parsed(**parts), None, False)], options["output"]))

    def _add(self, options: dict[str, Any]) -> None:
        conn_id = options["conn_id"]
        if why := id_problem(conn_id):
            raise CommandError(f"The connection id {conn_id!r} {why}.")
        given = {part: options[f"conn_{part}"] for part in _PARTS if options[f"conn_{part}"] is not None}
        found = _wanted(conn_id, options, given)
        if why := part_problem(found):
            raise CommandError(f"The connection {conn_id!r} has {why}.")
        with transaction.atomic():
            if Connection.objects.filter(conn_id=conn_id).exists():
                raise CommandError(f"A connection with `conn_id`={conn_id} already exists.")
            connection_set(conn_id, **found)
            _audit("cli_connections_add", connection_id=conn_id)
        self.stdout.write(f"Successfully added `conn_id`={conn_id}")
        if hint := type_hint(found["conn_type"]):
            self.stderr.write(hint)

    def _delete(self, options: dict[str, Any]) -> None:
        with transaction.atomic():
            if not connection_delete(options["conn_id"]):
                raise CommandError(f"Did not find a connection with `conn_id`={options['conn_id']}")
            _audit("cli_connections_delete", connection_id=options["conn_id"])
        self.stdout.write(f"Successfully deleted connection with `conn_id`={options['conn_id']}")

    def _export(self, options: dict[str, Any]) -> None:
        form = options["file_format"] or _form_of(options["file"])
        if options["serialization_format"] and form != "env":
            raise CommandError("--serialization-format is for the env format only; use --file-format env.")
        rows, lost = readable_connections()
        text = connections_text(rows, form, options["serialization_format"] or "uri")
        for name in lost:
            self.stderr.write(f"Left out, cannot decrypt: {name}")
        write_private(self.stdout, options["file"], text)
        _audit("cli_connections_export", connection_ids=[row.conn_id for row in rows])
        if options["file"] != "-":
            self.stdout.write(f"{len(rows)} Connections successfully exported to {options['file']}.")

    def _import(self, options: dict[str, Any]) -> None:
        with Progress("connections imported") as progress, transaction.atomic():
            done = connections_import(options["file"], overwrite=options["overwrite"], through=progress.through)
            _audit("cli_connections_import", connection_ids=done.written)
        for name, why in done.refused.items():
            self.stdout.write(f"Could not import connection {name!r}: its id {why}.")
        for name in done.there:
            self.stdout.write(f"Could not import connection {name}: connection already exists.")
        for name in done.written:
            self.stdout.write(f"Imported connection {name}")

    def _test(self, options: dict[str, Any]) -> None:
        from runs.connection_tests.launch import test_at_once
        from vault.connection_tests import PARTS, is_enabled

        if not is_enabled():
            raise CommandError("Testing connections is disabled: set [core] test_connection = Enabled.")
        from vault.selectors import connection_find

        if (found := connection_find(options["conn_id"])) is None:
            raise CommandError("Connection not found.")
        ok, message = test_at_once(options["conn_id"], {name: getattr(found, name) for name in PARTS})
        _audit("cli_connections_test", connection_id=options["conn_id"])
        self.stdout.write(f"Connection {'success' if ok else 'failed'}!\n{message}")
        if not ok:
            raise SystemExit(1)

    def _create_default_connections(self, options: dict[str, Any]) -> None:
        with transaction.atomic():
            made = connections_create_defaults()
            _audit("cli_create_default_connections", connection_ids=made)
        self.stdout.write(f"Created {len(made)} default connections")


def write_private(out: Any, file: str, text: str) -> None:
    """Write secrets to a file that only its owner reads; ``-`` or a standard stream goes to ``out``."""
    if file in ("-", "/dev/stdout", "<stdout>"):
        out.write(text)
        return
    from orchestrator.config.cfg_file import write_private as write

    try:
        write(Path(file), text)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from None


def _wanted(conn_id: str, options: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    uri, document = options["conn_uri"], options["conn_json"]
    if bool(uri) + bool(document) + ("type" in given) != 1:
        raise CommandError("Give exactly one of --conn-uri, --conn-json and --conn-type.")
    if not (uri or document):
        json_of(given.get("extra"), "--conn-extra")
        return {("conn_type" if part == "type" else part): value for part, value in given.items()}
    if clash := [f"--conn-{part}" for part in given if part not in ("description", "type")]:
        name = "--conn-uri" if uri else "--conn-json"
        raise CommandError(f"{', '.join(clash)} cannot go with {name}, which holds these parts itself.")
    found = connection_of(conn_id, uri or json_of(document, "--conn-json"))
    if not found.conn_type:
        raise CommandError(f"The connection {conn_id!r} has no type: give conn_type in --conn-json.")
    names = ("conn_type", "description", "host", "login", "password", "port", "schema", "extra")
    return {name: getattr(found, name) for name in names} | (
        {"description": given["description"]} if "description" in given else {}
    )


def _shown(row: Connection, hide: bool) -> dict[str, Any]:
    try:
        return _columns(parsed(row), row, hide)
    except UndecryptableError as error:
        masked = Parsed(
            **{n: getattr(row, n) for n in ("conn_id", "conn_type", "description", "host", "schema", "login", "port")}
        )
        return {**_columns(masked, row, hide), "password": f"cannot decrypt ({error.short})"}


def _columns(found: Parsed, row: Connection | None, hide: bool) -> dict[str, Any]:
    extra = found.extra_dejson
    safe = Parsed(**{**vars(found), "login": "***", "password": "***"}) if hide else found
    uri = safe.get_uri().replace("%2A%2A%2A", "***")
    return {
        "id": None if row is None else str(row.pk),
        "conn_id": found.conn_id,
        "conn_type": found.conn_type,
        "description": found.description,
        "host": found.host,
        "schema": found.schema,
        "login": found.login,
        "password": "***" if hide and found.password else found.password,
        "port": None if found.port is None else str(found.port),
        "is_encrypted": str(bool(row and row.is_encrypted)),
        "is_extra_encrypted": str(bool(row and row.is_extra_encrypted)),
        "extra_dejson": "***" if hide and extra else extra,
        "get_uri": uri.partition("?")[0] if hide else uri,
    }


def _form_of(file: str) -> str:
    if file == "-" or file.startswith(("/dev/", "<")):
        return "json"
    suffix = "env" if Path(file).name == ".env" else Path(file).suffix.lower().lstrip(".").replace("yml", "yaml")
    if suffix not in FORMATS:
        raise CommandError(
            f"{file}: unsupported file format; the extension must be one of {', '.join(FORMATS)}, or give --file-format."
        )
    return suffix


def _audit(event: str, **extra: Any) -> None:
    audit_write(event, actor="cli", extra=extra)
