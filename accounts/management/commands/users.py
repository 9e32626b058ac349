"""Decides the command ``manage.py users``, with the words and flags of Airflow's."""

import getpass
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts import user_changes as changes
from accounts.models import User
from accounts.services import audit_write
from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output
from orchestrator.management.progress import Progress

# Whoever may open a shell on the machine acts on the command line.
ACTOR = "cli"


class Command(AirflowCommand):
    """Users and their roles."""

    help = "Manage users."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add_output(actions.add_parser("list", help="all users"))
        self._create_arguments(actions.add_parser("create", help="make a user"))
        _who(actions.add_parser("delete", help="delete a user"))
        for name, text in (("add-role", "give a role"), ("remove-role", "take a role away")):
            chosen = _who(actions.add_parser(name, help=text))
            chosen.add_argument("-r", "--role", required=True)
        _password(_who(actions.add_parser("reset-password", help="give a new password; signed tokens end")))
        actions.add_parser("import", help="make and change users from a JSON file").add_argument("file", metavar="FILEPATH")
        actions.add_parser("export", help="write all users to a JSON file").add_argument("file", metavar="FILEPATH")

    def _create_arguments(self, parser: Any) -> None:
        parser.add_argument("-u", "--username", required=True)
        parser.add_argument("-f", "--firstname", default="")
        parser.add_argument("-l", "--lastname", default="")
        parser.add_argument("-e", "--email", default="")
        parser.add_argument("-r", "--role", required=True, help="Admin, User, Op or Viewer")
        _password(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                getattr(self, "_" + options["action"].replace("-", "_"))(options)
        except changes.UserRefusedError as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        users = User.objects.prefetch_related("groups").order_by("pk")
        self.show(changes.exported(users), options)

    def _create(self, options: dict[str, Any]) -> None:
        facts = {
            "username": options["username"],
            "email": options["email"],
            "first_name": options["firstname"],
            "last_name": options["lastname"],
        }
        changes.user_create(facts, [options["role"]], _chosen_password(options), actor=ACTOR)
        self.stdout.write(f"User {options['username']} created with role {options['role']}.")

    def _delete(self, options: dict[str, Any]) -> None:
        user = changes.user_find(options["username"], options["email"])
        audit_write("delete_user", actor=ACTOR, extra=changes.exported([user])[0])
        user.delete()
        self.stdout.write(f"User {user.username} deleted.")

    def _add_role(self, options: dict[str, Any]) -> None:
        user = changes.user_find(options["username"], options["email"])
        if not changes.role_add(user, options["role"], actor=ACTOR):
            raise CommandError(f"{user.username} has the role {options['role']} already.")
        self.stdout.write(f"User {user.username} has the role {options['role']} now.")

    def _remove_role(self, options: dict[str, Any]) -> None:
        user = changes.user_find(options["username"], options["email"])
        if not changes.role_remove(user, options["role"], actor=ACTOR):
            raise CommandError(f"{user.username} has not the role {options['role']}.")
        self.stdout.write(f"User {user.username} has no longer the role {options['role']}.")

    def _reset_password(self, options: dict[str, Any]) -> None:
        user = changes.user_find(options["username"], options["email"])
        user.set_password(_chosen_password(options))
        user.save(update_fields=["password", "tokens_valid_from"])
        audit_write("reset_password", actor=ACTOR, extra={"username": user.username})
        self.stdout.write(f"User {user.username} has a new password.")

    def _import(self, options: dict[str, Any]) -> None:
        try:
            entries = json.loads(Path(options["file"]).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{options['file']} cannot be read as JSON: {error}") from error
        if not isinstance(entries, list):
            raise CommandError(f"{options['file']} holds no list of users.")
        with Progress("users imported", len(entries)) as progress:
            made = [changes.imported(entry, actor=ACTOR) for entry in progress.over(entries)]
        self.stdout.write(f"{made.count(True)} users created, {made.count(False)} already there and brought in step.")
        if any(made):
            self.stdout.write("Created users have a random password; `users reset-password` sets another.")

    def _export(self, options: dict[str, Any]) -> None:
        users = changes.exported(User.objects.prefetch_related("groups").order_by("pk"))
        Path(options["file"]).write_text(json.dumps(users, indent=4, sort_keys=True) + "\n", encoding="utf-8")
        self.stdout.write(f"{len(users)} users exported to {options['file']}.")


def _who(parser: Any) -> Any:
    parser.add_argument("-u", "--username")
    parser.add_argument("-e", "--email")
    return parser


def _password(parser: Any) -> Any:
    parser.add_argument("-p", "--password", help="asked for where it is missing")
    parser.add_argument("--use-random-password", action="store_true", help="the user cannot sign in before it is reset")
    return parser


def _chosen_password(options: dict[str, Any]) -> str:
    if options["use_random_password"]:
        return changes.random_password()
    if options["password"]:
        return str(options["password"])
    if not sys.stdin.isatty():
        raise CommandError("Give --password or --use-random-password; there is no terminal to ask on.")
    word = getpass.getpass("Password: ")
    if word != getpass.getpass("Repeat: "):
        raise CommandError("The two passwords differ.")
    return word
