"""Decides which users standalone makes, with which passwords, and where a generated password can be read."""

import json
import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import CommandError
from django.db import transaction

from orchestrator.config import conf
from orchestrator.config.cfg_file import write_private

ROLES = ("viewer", "user", "op", "admin")
PASSWORD_BYTES = 12


def configured_users() -> dict[str, str]:
    """Roles by name from ``[core] simple_auth_manager_users``. Raises CommandError for an entry that is not ``name:role``."""
    users = {}
    for entry in filter(None, (part.strip() for part in conf.get("core", "simple_auth_manager_users").split(","))):
        name, _, role = entry.partition(":")
        if not name or role.lower() not in ROLES:
            raise CommandError(
                f"[core] simple_auth_manager_users holds {entry!r}: write name:role with a role of {', '.join(ROLES)}."
            )
        users[name] = role.lower()
    return users


def passwords_file() -> Path:
    """Where generated passwords are kept."""
    chosen = conf.get("core", "simple_auth_manager_passwords_file")
    return Path(chosen) if chosen else conf.home / "simple_auth_manager_passwords.json.generated"


def ensure_users() -> dict[str, str]:
    """Make the users of the configuration that are missing; returns the passwords that were given now.

    Where somebody administers already, a default user that was deleted does not come back: only users that the configuration
    names itself are made. A password that stands in the file is used, so that a new database keeps the login of an old one.
    """
    has_admin = get_user_model().objects.filter(is_superuser=True, is_active=True).exists()
    if has_admin and not conf.is_set("core", "simple_auth_manager_users"):
        return {}
    known = _read_passwords()
    made = {}
    for name, role in configured_users().items():
        if get_user_model().objects.filter(username=name).exists():
            continue
        made[name] = known.get(name) or secrets.token_urlsafe(PASSWORD_BYTES)
        _create(name, role, made[name])
    if made:
        write_private(passwords_file(), json.dumps(known | made) + "\n")
    return made


def _read_passwords() -> dict[str, str]:
    path = passwords_file()
    try:
        passwords = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CommandError(f"{path} is not valid JSON ({error}); correct or delete it.") from error
    return {str(name): str(password) for name, password in passwords.items()}


def _create(name: str, role: str, password: str) -> None:
    with transaction.atomic():
        is_admin = role == "admin"
        user = get_user_model().objects.create_user(name, password=password, is_staff=is_admin, is_superuser=is_admin)
        user.groups.add(Group.objects.get_or_create(name=role.capitalize())[0])
