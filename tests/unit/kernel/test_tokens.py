"""Tokens and the rotation of their keys (C05)."""

import jwt
import pytest

from orchestrator.kernel.tokens import ExpiredTokenError, KeyRing, TokenError

OLD, NEW = "o" * 64, "n" * 64
AUDIENCE = "urn:airflow.apache.org:task"


def test_a_signed_token_is_read_back_with_its_claims() -> None:
    ring = KeyRing.from_config(NEW)
    token = ring.sign({"sub": "x", "aud": AUDIENCE}, 60)
    claims = ring.verify(token, AUDIENCE)
    assert claims["sub"] == "x"
    assert claims["exp"] - claims["iat"] == 60
    assert claims["jti"]
    assert jwt.get_unverified_header(token)["kid"] == ring.keys[0].kid


def test_a_token_of_the_old_key_is_accepted_after_rotation_and_new_ones_use_the_new_key() -> None:
    token = KeyRing.from_config(OLD).sign({"aud": AUDIENCE}, 60)
    ring = KeyRing.from_config(f"{NEW}, {OLD}")
    assert ring.verify(token, AUDIENCE)
    assert KeyRing.from_config(NEW).verify(ring.sign({"aud": AUDIENCE}, 60), AUDIENCE)


def test_a_token_of_an_unknown_key_is_refused() -> None:
    token = KeyRing.from_config(OLD).sign({"aud": AUDIENCE}, 60)
    with pytest.raises(TokenError, match="unknown key"):
        KeyRing.from_config(NEW).verify(token, AUDIENCE)


def test_a_token_without_key_id_is_tried_with_every_key() -> None:
    token = jwt.encode({"aud": AUDIENCE, "exp": 4_000_000_000, "iat": 1}, OLD, "HS512")
    assert KeyRing.from_config(f"{NEW},{OLD}").verify(token, AUDIENCE)["iat"] == 1


def test_an_expired_token_is_its_own_error_and_can_be_allowed() -> None:
    ring = KeyRing.from_config(NEW)
    token = ring.sign({"aud": AUDIENCE, "iat": 1, "nbf": 1, "exp": 2}, 60)
    with pytest.raises(ExpiredTokenError):
        ring.verify(token, AUDIENCE)
    assert ring.verify(token, AUDIENCE, allow_expired=True)["exp"] == 2


@pytest.mark.parametrize("token", ["", "a.b.c", "nonsense"])
def test_nonsense_is_refused(token: str) -> None:
    with pytest.raises(TokenError):
        KeyRing.from_config(NEW).verify(token, AUDIENCE)


def test_a_token_for_somebody_else_is_refused() -> None:
    ring = KeyRing.from_config(NEW)
    with pytest.raises(TokenError):
        ring.verify(ring.sign({"aud": "other"}, 60), AUDIENCE)


def test_an_unsigned_token_is_refused() -> None:
    token = jwt.encode({"aud": AUDIENCE, "exp": 4_000_000_000, "iat": 1}, "", "none")
    with pytest.raises(TokenError):
        KeyRing.from_config(NEW).verify(token, AUDIENCE)


@pytest.mark.parametrize("text", ["", " , ", "short"])
def test_a_missing_or_short_secret_says_what_to_do(text: str) -> None:
    with pytest.raises(ValueError, match="jwt_secret"):
        KeyRing.from_config(text)
