"""Decides what is inside the two tokens of an attempt: the workload token that starts it and the execution token that runs it.

Reading a token costs no query (requirement C05-e). Whether its dispatch is still the current one is a matter of the
row, so the transitions check it with the change they make.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from orchestrator.config import conf
from orchestrator.kernel.tokens import KeyRing, TokenError

WORKLOAD: Final = "workload"
EXECUTION: Final = "execution"
# A workload token waits in queues. It ends with its dispatch, not with time; the limit only stops it from living for ever.
WORKLOAD_LIFETIME_SECONDS: Final = 30 * 24 * 3600.0
CALLBACK_LIFETIME_SECONDS: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class TaskToken:
    """What a token says. Times are epoch seconds."""

    subject: str
    scope: str
    dispatch_id: UUID | None
    issued_at: float
    expires_at: float

    @property
    def lifetime(self) -> float:
        """Seconds between issue and expiry."""
        return self.expires_at - self.issued_at


def issue_workload_token(ti_id: UUID, dispatch_id: UUID | None) -> str:
    """A token for one ``/run`` of one hand-over."""
    return _issue(ti_id, dispatch_id, WORKLOAD, WORKLOAD_LIFETIME_SECONDS)


def issue_execution_token(ti_id: UUID | str, dispatch_id: UUID | None) -> str:
    """A token for everything that a running attempt asks; lives ``[execution_api] jwt_expiration_time`` seconds."""
    return _issue(ti_id, dispatch_id, EXECUTION, float(conf.get("execution_api", "jwt_expiration_time")))


def issue_callback_token(subject: UUID, dispatch_id: UUID) -> str:
    """A token for a callback: what it asks, and its report; ``subject`` is the attempt that it is about, where there is one.

    It ends with its hand-over, whose report is refused as soon as there is another one.
    """
    return _issue(subject, dispatch_id, EXECUTION, CALLBACK_LIFETIME_SECONDS)


def read_token(token: str) -> TaskToken:
    """Check signature, audience and issuer, and return the content, even of a token whose time is over.

    Raises ``orchestrator.kernel.tokens.TokenError``.
    """
    settings = _settings()
    claims = settings.ring.verify(token, settings.audiences, settings.leeway, allow_expired=True)
    if settings.issuer and claims.get("iss") != settings.issuer:
        raise TokenError("The token has another issuer.")
    try:
        dispatch = claims.get("dispatch_id")
        return TaskToken(
            subject=str(claims["sub"]),
            scope=str(claims.get("scope", EXECUTION)),
            dispatch_id=UUID(dispatch) if dispatch else None,
            issued_at=float(claims["iat"]),
            expires_at=float(claims["exp"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TokenError("The token does not name an attempt.") from error


def is_expired(token: TaskToken, now: float) -> bool:
    """True where the token's time is over at ``now`` (epoch seconds), clocks differing by ``[api_auth] jwt_leeway`` at most."""
    return now > token.expires_at + _settings().leeway


def _issue(ti_id: UUID | str, dispatch_id: UUID | None, scope: str, lifetime_seconds: float) -> str:
    settings = _settings()
    claims: dict[str, Any] = {"sub": str(ti_id), "scope": scope, "aud": settings.audiences[0]}
    if dispatch_id is not None:
        claims["dispatch_id"] = str(dispatch_id)
    if settings.issuer:
        claims["iss"] = settings.issuer
    return settings.ring.sign(claims, lifetime_seconds)


@dataclass(frozen=True, slots=True)
class _Settings:
    ring: KeyRing
    audiences: tuple[str, ...]
    issuer: str | None
    leeway: float


def _settings() -> _Settings:
    return _built(
        conf.get("api_auth", "jwt_secret"),
        conf.get("execution_api", "jwt_audience"),
        conf.get("api_auth", "jwt_issuer"),
        float(conf.get("api_auth", "jwt_leeway")),
    )


@lru_cache(maxsize=4)
def _built(secret: str, audience: str, issuer: str | None, leeway: float) -> _Settings:
    audiences = tuple(part.strip() for part in audience.split(",") if part.strip())
    return _Settings(KeyRing.from_config(secret), audiences, issuer or None, leeway)
