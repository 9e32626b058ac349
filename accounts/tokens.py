"""Decides what a REST token says and who it stands for."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from accounts.access import users
from accounts.models import User
from accounts.roles import Role, role_of
from orchestrator.config import conf
from orchestrator.kernel.tokens import KeyRing, TokenError

OPEN_ACCESS_NAME = "Anonymous"


def is_open_access() -> bool:
    """True where everybody counts as an admin: ``[core] simple_auth_manager_all_admins``."""
    return bool(conf.get("core", "simple_auth_manager_all_admins"))


def open_access_user() -> User:
    """Return the admin that stands for everybody under open access; it has no row."""
    return User(username=OPEN_ACCESS_NAME, is_superuser=True, is_staff=True, is_active=True)


def token_for(user: User, *, lifetime_seconds: int) -> str:
    """Return a signed token for a user; the claims are Airflow's."""
    role = role_of(user)
    claims: dict[str, Any] = {"sub": user.username, "role": role.name.lower() if role else None, "teams": [], "aud": _audience()}
    issuer = conf.get("api_auth", "jwt_issuer")
    return _ring(conf.get("api_auth", "jwt_secret")).sign(claims | ({"iss": issuer} if issuer else {}), lifetime_seconds)


def user_of_token(token: str) -> User | None:
    """Return the active user that a token stands for, None where there is none any more. Raises ``TokenError``."""
    leeway = conf.get("api_auth", "jwt_leeway")
    claims = _ring(conf.get("api_auth", "jwt_secret")).verify(token, _audience(), leeway)
    # A worker's token shares the keys but not the audience; a name is what makes it a person's.
    name = claims.get("sub")
    if name == OPEN_ACCESS_NAME and is_open_access():
        return open_access_user()
    user = users().filter(username=name, is_active=True).first()
    is_revoked = user is not None and _is_older(claims["iat"], user.tokens_valid_from)
    return None if is_revoked else user


def _is_older(issued: Any, limit: datetime | None) -> bool:
    """A token tells whole seconds, so one of the very second of the limit still counts."""
    return limit is not None and float(issued) < int(limit.timestamp())


def _audience() -> str:
    return conf.get("api_auth", "jwt_audience") or "apache-airflow"


@lru_cache(maxsize=4)
def _ring(text: str | None) -> KeyRing:
    return KeyRing.from_config(text or "")


__all__ = ["OPEN_ACCESS_NAME", "Role", "TokenError", "is_open_access", "open_access_user", "token_for", "user_of_token"]
