"""Decides how API tokens are made, recognised and revoked (C30-e)."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import Exists, Q

from accounts.access import access_of
from accounts.models import ApiToken, DagRule, User
from accounts.roles import Role
from accounts.services import audit_write
from orchestrator.kernel.clock import utcnow

PREFIX = "oat_"
_BYTES = 32
_HINT_LENGTH = 10
# Noting each use would write a row per request.
_USE_NOTED_EVERY = timedelta(minutes=1)


class TokenRefusedError(ValueError):
    """The token cannot be made; the text says why."""


def token_create(owner: User, name: str, role: Role, expires_at: datetime | None) -> tuple[ApiToken, str]:
    """Make a token; returns the row and the text, which is shown this once.

    Raises TokenRefusedError for a role above the owner's, a name that is taken, or an end that is past.
    """
    best = access_of(owner).best()
    if best is None or role > best:
        mine = best.name.title() if best else "no role"
        raise TokenRefusedError(f"{owner} has {mine}, so a token cannot have {role.name.title()}; choose a lower role.")
    if expires_at is not None and expires_at <= utcnow():
        raise TokenRefusedError(f"expires_at {expires_at.isoformat()} is past; choose a later moment or none.")
    if ApiToken.objects.filter(user=owner, name=name, revoked_at=None).exists():
        raise TokenRefusedError(f"{owner} has a token named {name!r} already; revoke it or choose another name.")
    text = PREFIX + secrets.token_urlsafe(_BYTES)
    row = ApiToken(user=owner, name=name, role=role, expires_at=expires_at, hint=text[:_HINT_LENGTH], token_hash=_hash(text))
    row.save()
    return row, text


def token_revoke(row: ApiToken) -> bool:
    """End a token for good; returns whether it was open."""
    return bool(ApiToken.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=utcnow()))


def token_note(event: str, row: ApiToken, *, actor: str) -> None:
    """Write down that a token was made or revoked, within the caller's transaction."""
    shown = {"id": row.pk, "name": row.name, "user": row.user.username, "role": Role(row.role).name.title()}
    audit_write(event, actor=actor, extra=shown | {"expires_at": row.expires_at})


def is_api_token(text: str) -> bool:
    """Return whether a bearer token is one of these, and no signed one."""
    return text.startswith(PREFIX)


def user_of_api_token(text: str) -> User | None:
    """Return the active owner of a valid token, limited to it; None for any other text. Notes the use once a minute."""
    rows = ApiToken.objects.select_related("user").annotate(are_there_rules=Exists(DagRule.objects.all()))
    row = rows.filter(token_hash=_hash(text), user__is_active=True).first()
    now = utcnow()
    if row is None or not row.is_valid(now):
        return None
    _note_use(row, now)
    user: User = row.user
    user.acting_token = row  # type: ignore[attr-defined]
    user.are_there_rules = row.are_there_rules  # type: ignore[attr-defined]
    return user


def _note_use(row: ApiToken, now: datetime) -> None:
    limit = now - _USE_NOTED_EVERY
    if row.last_used_at is None or row.last_used_at < limit:
        noted = Q(last_used_at=None) | Q(last_used_at__lt=limit)
        ApiToken.objects.filter(noted, pk=row.pk).update(last_used_at=now)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
