"""Decides what a user may do: four roles, each with the rights of the one before, held as Django groups."""

from enum import IntEnum
from typing import Any


class Role(IntEnum):
    """Viewer reads; User also runs and changes DAGs; Op also changes connections, variables and pools; Admin all."""

    VIEWER = 1
    USER = 2
    OP = 3
    ADMIN = 4


GROUPS = {"Viewer": Role.VIEWER, "User": Role.USER, "Op": Role.OP, "Admin": Role.ADMIN}


def role_of(user: Any) -> Role | None:
    """Return the highest role of a user, None for one who has none."""
    if not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    if hasattr(user, "role_of_groups"):  # as ``accounts.access.users`` reads it
        return Role(user.role_of_groups) if user.role_of_groups is not None else None
    names = user.groups.values_list("name", flat=True) if user.pk else []
    return max((GROUPS[name] for name in names if name in GROUPS), default=None)
