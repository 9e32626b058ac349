"""Decides what rights an order has that is carried out later than it was given: those that its giver has by then."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.apps import apps

from accounts.access import Access, access_of, users
from accounts.models import ApiToken
from accounts.roles import Role
from accounts.tokens import is_open_access, open_access_user


class Authority(StrEnum):
    """Whose rights count for an order."""

    USER = "user"
    OPEN_ACCESS = "open_access"
    COMMAND_LINE = "command_line"


@dataclass(frozen=True, slots=True)
class Giver:
    """Who gave an order, by what is still known of him later; ``token_id`` is the API token that he used."""

    user_name: str
    authority: str
    user_id: int | None = None
    token_id: int | None = None
    token_name: str = ""


def giver_of(user: Any) -> Giver:
    """Return who acts in a request of this user."""
    if user.pk is None:
        return Giver(user.get_username(), Authority.OPEN_ACCESS)
    token = getattr(user, "acting_token", None)
    of_token = (token.pk, token.name) if token is not None else (None, "")
    return Giver(user.get_username(), Authority.USER, user.pk, *of_token)


def access_now(giver: Giver) -> Access | None:
    """Return the rights of the giver at this moment; None where nothing is left of them.

    A token limits the order as it limited the request; one that was revoked ends it, one that expired does not: the order
    was given while it was valid.
    """
    if giver.authority == Authority.COMMAND_LINE:
        return Access(giver.user_name, Role.ADMIN, None)  # whoever has the machine has the database
    if giver.authority == Authority.OPEN_ACCESS:
        return access_of(open_access_user()) if is_open_access() else None
    user = users().filter(pk=giver.user_id, is_active=True).first() if giver.user_id is not None else None
    if user is None or giver.token_id is None:
        return access_of(user) if user is not None else None
    token = ApiToken.objects.filter(pk=giver.token_id, revoked_at=None).first()
    if token is None:
        return None
    user.acting_token = token  # type: ignore[attr-defined]
    return access_of(user)


def may_change(access: Access | None, dag_ids: Collection[str]) -> set[str]:
    """Return those of the DAGs on which somebody has a User's role; one query at most."""
    if access is None:
        return set()
    scope = access.scope(Role.USER)
    if scope is None:
        return set(dag_ids) if access.role is not None and access.role >= Role.USER else set()
    dags = apps.get_model("dags_app", "Dag")._base_manager
    return set(dags.filter(scope.dags, pk__in=list(dag_ids)).values_list("pk", flat=True))
