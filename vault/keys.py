"""Decides how secrets are encrypted at rest: with Fernet keys from ``[core] fernet_key``, the first writes, all read."""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from orchestrator.config import conf


class UndecryptableError(ValueError):
    """No key of ``[core] fernet_key`` opens the stored value."""


def seal(text: str) -> tuple[str, bool]:
    """Return the text as it is stored, and whether that is encrypted (it is not while no key is configured)."""
    ring = _ring(_configured())
    if ring is None or text == "":
        return text, False
    return ring.encrypt(text.encode()).decode(), True


def unseal(stored: str) -> str:
    """Return the clear text of an encrypted value; raises ``UndecryptableError``."""
    ring = _ring(_configured())
    if ring is None:
        raise UndecryptableError("the value is encrypted, but [core] fernet_key is empty: set the key that wrote it")
    try:
        return ring.decrypt(stored.encode()).decode()
    except (InvalidToken, UnicodeError) as error:
        message = "no key of [core] fernet_key opens the value: append the key that wrote it, as in 'new,old'"
        raise UndecryptableError(message) from error


def _configured() -> str:
    return conf.get("core", "fernet_key") or ""


@lru_cache(maxsize=4)
def _ring(keys: str) -> MultiFernet | None:
    parts = [key.strip() for key in keys.split(",") if key.strip()]
    return MultiFernet([Fernet(key) for key in parts]) if parts else None
