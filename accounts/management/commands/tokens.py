"""Decides the command ``manage.py tokens``: API tokens of people and of services."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts.management.commands.users import ACTOR
from accounts.models import ApiToken, User
from accounts.named_tokens import TokenRefusedError, token_create, token_revoke
from accounts.roles import Role
from accounts.services import audit_write
from accounts.user_changes import UserRefusedError, user_create
from orchestrator.kernel.clock import utcnow
from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output


class Command(AirflowCommand):
    """API tokens."""

    help = "Manage API tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listed = actions.add_parser("list", help="tokens with role, end and last use")
        listed.add_argument("-u", "--username", help="only of this user")
        add_output(listed)
        made = actions.add_parser("create", help="make a token and print it, this once")
        made.add_argument("-n", "--name", required=True)
        made.add_argument("-r", "--role", required=True, choices=[role.name.title() for role in Role])
        made.add_argument("--expires-in-days", type=int, help="never without it")
        who = made.add_mutually_exclusive_group(required=True)
        who.add_argument("-u", "--username", help="the owner")
        who.add_argument(
            "--service", metavar="NAME", help="a user that only tokens can use; made with the role where it is missing"
        )
        revoked = actions.add_parser("revoke", help="end a token for good")
        revoked.add_argument("id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                getattr(self, "_" + options["action"])(options)
        except (TokenRefusedError, UserRefusedError) as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        rows = ApiToken.objects.select_related("user")
        if options["username"]:
            rows = rows.filter(user__username=options["username"])
        self.show([_shown(row) for row in rows], options)

    def _create(self, options: dict[str, Any]) -> None:
        role, days = Role[options["role"].upper()], options["expires_in_days"]
        end = None if days is None else utcnow() + timedelta(days=days)
        row, text = token_create(_owner(options), options["name"], role, end)
        audit_write("create_api_token", actor=ACTOR, extra=_shown(row))
        self.stdout.write(text)

    def _revoke(self, options: dict[str, Any]) -> None:
        row = ApiToken.objects.select_related("user").filter(pk=options["id"]).first()
        if row is None:
            raise CommandError(f"There is no token {options['id']}; `tokens list` shows all.")
        if token_revoke(row):
            audit_write("revoke_api_token", actor=ACTOR, extra=_shown(row))
        self.stdout.write(f"Token {row.pk} ({row}) is revoked.")


def _owner(options: dict[str, Any]) -> User:
    name = options["username"] or options["service"]
    found = User.objects.filter(username=name).first()
    if found is None and options["service"]:
        return user_create({"username": name}, [options["role"]], None, actor=ACTOR)
    if found is None:
        raise CommandError(f"There is no user {name!r}; `users list` shows all, --service makes one for a program.")
    return found


def _shown(row: ApiToken) -> dict[str, Any]:
    times = {name: getattr(row, name) for name in ("created_at", "expires_at", "last_used_at", "revoked_at")}
    shown = {name: value.isoformat(timespec="seconds") if value else None for name, value in times.items()}
    return {
        "id": row.pk,
        "name": row.name,
        "user": row.user.username,
        "role": Role(row.role).name.title(),
        "hint": row.hint,
    } | shown
