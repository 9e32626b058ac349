"""Decides quickly whether a token carries the signature of one of our own keys: a seventh of the time a JWT library takes.

Only a token whose header is, byte for byte, one that our own keys write is judged here. The algorithm is thus ours and
never the token's choice. Any other token goes to ``KeyRing.verify``.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from orchestrator.kernel.tokens import KeyRing, TokenError


@dataclass(frozen=True, slots=True)
class OwnSignatures:
    """The headers that our keys write, each with its secret."""

    ring: KeyRing
    secrets: dict[str, bytes]

    @classmethod
    def of(cls, ring: KeyRing) -> OwnSignatures:
        """The headers of ``ring``."""
        headers = {KeyRing((key,)).sign({}, 1).partition(".")[0]: key.secret.encode() for key in ring.keys}
        return cls(ring, headers)

    def claims(self, token: str, audiences: Collection[str], leeway: float) -> dict[str, Any]:
        """The claims of a token that we signed for one of ``audiences``, also of one whose time is over.

        ``leeway`` is in seconds. Raises TokenError.
        """
        signed, _, signature = token.rpartition(".")
        header, _, payload = signed.partition(".")
        secret = self.secrets.get(header)
        if secret is None:
            return self.ring.verify(token, list(audiences), leeway, allow_expired=True)
        if not hmac.compare_digest(_base64(hmac.digest(secret, signed.encode(), "sha512")), signature.encode()):
            raise TokenError("The signature does not fit.")
        claims = _json(payload)
        if claims.get("aud") not in audiences:
            raise TokenError("The token is for another audience.")
        if max(claims.get("nbf", 0), claims["iat"]) > time.time() + leeway:
            raise TokenError("The token is not valid yet.")
        return claims


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _json(segment: str) -> dict[str, Any]:
    try:
        claims = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, binascii.Error) as error:
        raise TokenError("The token is malformed.") from error
    if not isinstance(claims, dict) or not isinstance(claims.get("iat"), int | float):
        raise TokenError("The token is malformed.")
    return claims
