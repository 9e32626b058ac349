"""Decides how users are made, given roles, exported and imported; each change is audited."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import Group

from accounts.models import User
from accounts.roles import GROUPS
from accounts.services import audit_write

_PASSWORD_BYTES = 12


class UserRefusedError(ValueError):
    """A user cannot be changed so; the text says why and what to do."""


def user_find(username: str | None, email: str | None) -> User:
    """Return a user by name or e-mail. Raises UserRefusedError."""
    if bool(username) == bool(email):
        raise UserRefusedError("Name the user by --username or by --email, one of the two.")
    found = User.objects.filter(**({"username": username} if username else {"email__iexact": email})).order_by("pk").first()
    if found is None:
        raise UserRefusedError(f"There is no user {username or email!r}; `users list` shows all.")
    return found


def group_of(role: str) -> Group:
    """Return the group of a role, in any case. Raises UserRefusedError for a role that does not exist."""
    name = next((name for name in GROUPS if name.lower() == role.lower()), role)
    found = Group.objects.filter(name=name).first()
    if found is None:
        known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True)) or ", ".join(GROUPS)
        raise UserRefusedError(f"There is no role {role!r}; there are {known}.")
    return found


def user_create(facts: Mapping[str, Any], roles: Iterable[str], password: str | None, *, actor: str | None) -> User:
    """Make a user; without a password it can use API tokens only. Raises UserRefusedError for a name that is taken."""
    groups = [group_of(role) for role in roles]
    if User.objects.filter(username=facts["username"]).exists():
        raise UserRefusedError(f"A user {facts['username']!r} exists already.")
    user: User = User.objects.create_user(**facts, password=password)
    user.groups.set(groups)
    set_staff(user)
    audit_write("create_user", actor=actor, extra={**facts, "roles": [group.name for group in groups]})
    return user


def set_staff(user: User) -> None:
    """Let admins into Django's admin and nobody else by role; superusers stay as they are."""
    is_admin = user.is_superuser or user.groups.filter(name="Admin").exists()
    if user.is_staff != is_admin:
        user.is_staff = is_admin
        user.save(update_fields=["is_staff"])


def role_add(user: User, role: str, *, actor: str | None) -> bool:
    """Give a role; returns whether the user had it not."""
    group = group_of(role)
    if user.groups.filter(pk=group.pk).exists():
        return False
    before = roles_of(user)
    user.groups.add(group)
    _note("add_user_role", user, before, actor)
    return True


def role_remove(user: User, role: str, *, actor: str | None) -> bool:
    """Take a role away, from an admin also the rights of a superuser; returns whether the user had it."""
    group = group_of(role)
    is_super = group.name == "Admin" and user.is_superuser
    if not is_super and not user.groups.filter(pk=group.pk).exists():
        return False
    before = roles_of(user)
    user.groups.remove(group)
    if is_super:
        user.is_superuser = False
        user.save(update_fields=["is_superuser"])
    _note("remove_user_role", user, before, actor)
    return True


def _note(event: str, user: User, before: list[str], actor: str | None) -> None:
    set_staff(user)
    sides = {"before": {"roles": before}, "after": {"roles": roles_of(user)}}
    audit_write(event, actor=actor, extra={"username": user.username}, **sides)


def roles_of(user: User) -> list[str]:
    """Return the names of a user's roles; a superuser is an admin."""
    names = {group.name for group in user.groups.all()} | ({"Admin"} if user.is_superuser else set())
    return sorted(names)


def exported(users: Iterable[User]) -> list[dict[str, Any]]:
    """Return users as Airflow's ``users export`` writes them; no passwords."""
    return [
        {
            "id": user.pk,
            "username": user.username,
            "email": user.email,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "roles": roles_of(user),
        }
        for user in users
    ]


def imported(entry: Any, *, actor: str | None) -> bool:
    """Make or change a user from an entry of a file; returns whether it was made. Raises UserRefusedError."""
    if not isinstance(entry, dict) or not isinstance(entry.get("username"), str) or not isinstance(entry.get("roles"), list):
        raise UserRefusedError(f"Each entry needs username and a list of roles; this one has not: {entry!r}")
    names = (("email", "email"), ("first_name", "firstname"), ("last_name", "lastname"))
    facts = {ours: str(entry.get(ours) or entry.get(theirs) or "") for ours, theirs in names}
    user = User.objects.filter(username=entry["username"]).first()
    if user is None:
        user_create({"username": entry["username"], **facts}, entry["roles"], random_password(), actor=actor)
        return True
    _change(user, facts, [group_of(str(role)) for role in entry["roles"]], actor)
    return False


def _change(user: User, facts: dict[str, str], groups: list[Group], actor: str | None) -> None:
    (before,) = exported([user])
    for name, value in facts.items():
        setattr(user, name, value)
    user.save(update_fields=list(facts))
    user.groups.set(groups)
    set_staff(user)
    (after,) = exported([User.objects.get(pk=user.pk)])
    if after != before:
        audit_write("change_user", actor=actor, extra={"username": user.username}, before=before, after=after)


def random_password() -> str:
    """Return a password that nobody guesses."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)
