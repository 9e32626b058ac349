"""Decides how tokens are signed and checked: HS512 with a key ring, so that rotation loses no token."""

import hashlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ALGORITHM = "HS512"
SHORTEST_SECRET = 8


class TokenError(Exception):
    """The token is not accepted; the text says why."""


class ExpiredTokenError(TokenError):
    """The token was good and its time is over."""


@dataclass(frozen=True, slots=True)
class Key:
    """A secret with the id that tokens carry as ``kid``."""

    kid: str
    secret: str


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys, newest first: the first signs, all verify."""

    keys: tuple[Key, ...]

    @classmethod
    def from_config(cls, text: str) -> "KeyRing":
        """A ring from ``new,old,…``. Raises ValueError where it is empty or a secret is too short to be one."""
        secrets = [secret for secret in (part.strip() for part in text.split(",")) if secret]
        if not secrets:
            raise ValueError("[api_auth] jwt_secret is not set; `manage.py migrate` writes one into airflow.cfg.")
        if any(len(secret) < SHORTEST_SECRET for secret in secrets):
            raise ValueError(f"[api_auth] jwt_secret holds a secret of fewer than {SHORTEST_SECRET} characters.")
        return cls(tuple(Key(hashlib.sha256(secret.encode()).hexdigest()[:12], secret) for secret in secrets))

    def sign(self, claims: dict[str, Any], lifetime_seconds: float) -> str:
        """A token with ``claims`` that lives for ``lifetime_seconds``; iat, nbf, exp and jti are added."""
        import jwt

        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + max(1, int(lifetime_seconds)), "jti": uuid.uuid4().hex}
        key = self.keys[0]
        return jwt.encode(times | claims, key.secret, ALGORITHM, headers={"kid": key.kid})

    def verify(
        self, token: str, audience: str | Sequence[str] | None, leeway: float = 0, allow_expired: bool = False
    ) -> dict[str, Any]:
        """The claims of a token that one of the keys signed for ``audience`` (one of them, where there are several).

        ``leeway`` is in seconds. Raises ExpiredTokenError, else TokenError.
        """
        import jwt

        options: Any = {"verify_exp": not allow_expired, "verify_aud": audience is not None, "require": ["exp", "iat"]}
        error: Exception | None = None
        for key in self._candidates(token):
            try:
                return jwt.decode(token, key.secret, [ALGORITHM], audience=audience, leeway=leeway, options=options)
            except jwt.InvalidSignatureError as wrong_key:
                error = wrong_key
            except jwt.ExpiredSignatureError as expired:
                raise ExpiredTokenError("The token has expired.") from expired
            except (jwt.InvalidTokenError, UnicodeError) as invalid:
                raise TokenError(f"The token is not valid: {invalid}.") from invalid
        raise TokenError("The token was signed with an unknown key.") from error

    def _candidates(self, token: str) -> tuple[Key, ...]:
        """The key that the token names; all keys where it names none, as tokens of other issuers do."""
        import jwt

        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except (jwt.InvalidTokenError, UnicodeError) as error:
            raise TokenError("The token is malformed.") from error
        return tuple(key for key in self.keys if key.kid == kid) or self.keys
