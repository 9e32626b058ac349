"""Decides how secrets are encrypted at rest: the first key of ``[core] fernet_key`` writes, each ciphertext names its key.

Fernet is imported with the first secret: it takes 8 MB, and most processes never open one.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode
from functools import lru_cache
from typing import TYPE_CHECKING

from orchestrator.config import ConfigurationError, conf

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

ID_LENGTH = 8
KEY_BYTES = 32
FORGOTTEN = "!"  # before the id of a key that a person gave up
MARK = ":"  # is in no base64 alphabet, so it never stands inside of a Fernet token


class UndecryptableError(ValueError):
    """No key of ``[core] fernet_key`` opens the stored value; ``key_id`` names the key that wrote it, "" where unknown."""

    def __init__(self, key_id: str = "") -> None:
        self.key_id = key_id
        self.short = f"key {key_id} missing" if key_id else "key missing"
        name = f"{self.short}: " if key_id else ""
        super().__init__(f"{name}no key of [core] fernet_key opens the value: append the key that wrote it, as in 'new,old'")


def key_id_of(key: str) -> str:
    """Return the name of a key, as ciphertexts and messages show it; it tells nothing about the key."""
    return hashlib.sha256(key.strip().encode()).hexdigest()[:ID_LENGTH]


def key_ids() -> list[str]:
    """Return the ids of the configured keys; the first one writes. Raises ``ConfigurationError`` for a key that is none."""
    return list(_keys(_configured()))


def seal(text: str) -> tuple[str, bool]:
    """Return the text as it is stored, and whether that is encrypted (it is not while no key is configured)."""
    if text == "" or not key_ids():
        return text, False
    key_id, key = next(iter(_ring(_configured()).items()))
    return f"{key_id}{MARK}{key.encrypt(text.encode()).decode()}", True


def unseal(stored: str) -> str:
    """Return the clear text of an encrypted value; raises ``UndecryptableError``.

    Args:
        stored: what ``seal`` made, or a plain Fernet token as Airflow writes it, which every key tries to open.
    """
    return _opened(stored)[1]


def writer_of(stored: str) -> str:
    """Return the id of the key that wrote the value; for a plain Fernet token the key that opens it, "" where none does."""
    key_id = _split(stored)[0]
    try:
        return key_id or _opened(stored)[0]
    except UndecryptableError:
        return ""


def _opened(stored: str) -> tuple[str, str]:
    from cryptography.fernet import InvalidToken

    key_id, token = _split(stored)
    for known, key in _ring(_configured()).items():
        if key_id not in ("", known):
            continue
        try:
            return known, key.decrypt(token.encode()).decode()
        except (InvalidToken, UnicodeError):
            continue
    raise UndecryptableError(key_id)


def _split(stored: str) -> tuple[str, str]:
    key_id, mark, token = stored.partition(MARK)
    return (key_id.removeprefix(FORGOTTEN), token) if mark else ("", stored)


def _configured() -> str:
    return conf.get("core", "fernet_key") or ""


@lru_cache(maxsize=4)
def _keys(text: str) -> dict[str, str]:
    """Return the keys by id, each of which is known to be one."""
    keys = [key.strip() for key in text.split(",") if key.strip()]
    try:
        lengths = {len(urlsafe_b64decode(key)) for key in keys}
    except ValueError:
        lengths = {0}
    if not lengths <= {KEY_BYTES}:
        message = "[core] fernet_key holds something that is no Fernet key (32 bytes in URL-safe base64, 44 characters)"
        raise ConfigurationError(message)
    return {key_id_of(key): key for key in keys}


@lru_cache(maxsize=4)
def _ring(text: str) -> dict[str, Fernet]:
    from cryptography.fernet import Fernet

    return {key_id: Fernet(key) for key_id, key in _keys(text).items()}
