"""Decides who asks: a bearer token, the token cookie, or a session; and that no token is 401, a bad one 403."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.roles import Role, role_of
from accounts.tokens import TokenError, is_open_access, open_access_user, user_of_token
from orchestrator.rest.errors import RestError

COOKIE = "_token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``; the cookie only for reading, because a foreign page could send it along."""

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        """Return user and token, None where the request carries none. Raises ``RestError`` 403 for a bad one."""
        token = self._token(request)
        if not token:
            return None
        try:
            user = user_of_token(token)
        except TokenError as error:
            raise RestError(403, "Invalid JWT token") from error
        if user is None:
            raise RestError(403, "Forbidden")
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


def require(user: Any, least: Role | None) -> None:
    """Raise 401 for nobody and 403 for somebody below the role."""
    if least is None:
        return
    if user is None or not user.is_authenticated:
        raise RestError(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
    role = role_of(user)
    if role is None or role < least:
        raise RestError(403, "Forbidden")
