"""Tokens and the rotation of their keys (C05)."""

import time
from typing import Any

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


def foreign(claims: dict[str, Any], secret: str = NEW, algorithm: str = "HS512", headers: dict[str, Any] | None = None) -> str:
    """A token that another library made."""
    return jwt.encode({"aud": AUDIENCE, "exp": 4_000_000_000, "iat": 1} | claims, secret, algorithm, headers=headers)


def test_another_library_reads_our_tokens_and_we_read_its() -> None:
    ring = KeyRing.from_config(NEW)
    claims = jwt.decode(ring.sign({"sub": "Zoë", "aud": AUDIENCE}, 60), NEW, ["HS512"], audience=AUDIENCE)
    assert claims["sub"] == "Zoë"
    assert ring.verify(foreign({"sub": "Zoë", "aud": ["other", AUDIENCE]}), ["more", AUDIENCE])["sub"] == "Zoë"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(foreign({}, "", "none"), id="unsigned"),
        pytest.param(foreign({}, algorithm="HS256"), id="another algorithm with our key"),
        pytest.param(foreign({}, headers={"crit": ["b64"], "b64": True}), id="an extension that must be understood"),
        pytest.param(foreign({"exp": None}), id="no end"),
        pytest.param(foreign({"iat": "soon"}), id="a time that is no number"),
        pytest.param(foreign({"exp": float("nan")}), id="a time that is not finite"),
        pytest.param(foreign({"iat": 3_900_000_000}), id="made in the future"),
        pytest.param(foreign({"nbf": 3_900_000_000}), id="not valid before"),
        pytest.param(foreign({"aud": {"a": 1}}), id="an audience of another type"),
        pytest.param(foreign({}).replace(".", "..", 1), id="another part"),
        pytest.param(foreign({}) + "=", id="a signature in another spelling"),
        pytest.param("\ud800." + foreign({}).partition(".")[2], id="text that is not Unicode"),
        pytest.param(foreign({}).partition(".")[0] + ".\ud800.\ud800", id="claims that are not Unicode"),
    ],
)
def test_what_is_not_exactly_our_form_is_refused(token: str) -> None:
    with pytest.raises(TokenError):
        KeyRing.from_config(NEW).verify(token, AUDIENCE)


def test_claims_that_were_changed_are_refused() -> None:
    header, _, signature = foreign({"sub": "x"}).split(".")
    with pytest.raises(TokenError, match="unknown key"):
        KeyRing.from_config(NEW).verify(f"{header}.{foreign({'sub': 'y'}).split('.')[1]}.{signature}", AUDIENCE)


def test_clocks_may_differ_by_the_leeway() -> None:
    ring, now = KeyRing.from_config(NEW), int(time.time())
    assert ring.verify(foreign({"iat": now + 60, "nbf": now + 60}), AUDIENCE, leeway=90)
    assert ring.verify(foreign({"exp": now - 60}), AUDIENCE, leeway=90)


@pytest.mark.parametrize("text", ["", " , ", "short"])
def test_a_missing_or_short_secret_says_what_to_do(text: str) -> None:
    with pytest.raises(ValueError, match="jwt_secret"):
        KeyRing.from_config(text)
