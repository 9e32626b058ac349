"""Decides who asks: a bearer token, the token cookie, or a session; and that no token is 401, a bad one 403."""

from collections.abc import Mapping
from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.access import Access, Verdict, access_of
from accounts.acting import note_token
from accounts.named_tokens import is_api_token, user_of_api_token
from accounts.reach import Scope
from accounts.roles import Role
from accounts.tokens import TokenError, is_open_access, open_access_user, user_of_token
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.operations import Operation

COOKIE = "_token"
EVERY_DAG = "~"
# Operations on what belongs to a DAG; a rule on the DAG counts for them as a role does.
_OF_DAGS = ("/dags", "/backfills", "/callbacks", "/parseDagFile", "/dagSources", "/structure", "/dependencies", "/bulkActions")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``; the cookie only for reading, because a foreign page could send it along."""

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        """Return user and token, None where the request carries none. Raises ``RestError`` 403 for a bad one."""
        token = self._token(request)
        if not token:
            return None
        try:
            user = user_of_api_token(token) if is_api_token(token) else user_of_token(token)
        except TokenError as error:
            raise RestError(403, "Invalid JWT token") from error
        if user is None:
            raise RestError(403, "Forbidden")
        if (acting := getattr(user, "acting_token", None)) is not None:
            note_token(acting.name)
        return user, token

    def _token(self, request: Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
        return request.COOKIES.get(COOKIE, "") if request.method in _SAFE else ""


class PageSessionAuthentication(SessionAuthentication):
    """The session of somebody who signed in to the pages; unsafe methods need the CSRF token."""

    def enforce_csrf(self, request: Any) -> None:
        """Raise 403 without a valid CSRF token."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise RestError(403, "The session needs the header X-CSRFToken; use a bearer token instead") from error


class OpenAccess(BaseAuthentication):
    """Everybody is an admin where the configuration says so."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the admin that stands for everybody."""
        return (open_access_user(), None) if is_open_access() else None


AUTHENTICATION = [BearerAuthentication, PageSessionAuthentication, OpenAccess]


def require(user: Any, least: Role | None, dag_id: str | None = None) -> None:
    """Raise 401 for nobody, 403 for somebody below the role, 404 where the DAG is not there for this person."""
    if least is None:
        return
    if user is None or not user.is_authenticated:
        raise RestError(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
    if dag_id is not None:
        _require_on_dag(access_of(user), least, dag_id)
    elif (role := access_of(user).role) is None or role < least:
        raise RestError(403, "Forbidden")


def _require_on_dag(access: Access, least: Role, dag_id: str) -> None:
    best = access.best()
    if best is None or best < least:
        raise RestError(403, "Forbidden")
    if dag_id == EVERY_DAG:
        return
    verdict = access.on_dag(least, dag_id)
    if verdict is Verdict.UNKNOWN:
        raise NotFoundError(f"The Dag with ID: `{dag_id}` was not found")
    if verdict is Verdict.FORBIDDEN:
        raise RestError(403, "Forbidden")


def admit(user: Any, operation: Operation, path: Mapping[str, Any]) -> Scope | None:
    """Raise where somebody may not do an operation; return the DAGs that it may concern, None for all."""
    least = operation.role
    if least is None:
        return None
    dag_id = path.get("dag_id", EVERY_DAG) if operation.path.startswith(_OF_DAGS) else None
    require(user, least, dag_id)
    # What is not of a DAG may still touch DAGs, as materializing an asset does: that takes a user's role on them.
    return access_of(user).scope(least if dag_id is not None else min(least, Role.USER))
