"""Decides how the arguments of a trigger are kept: encrypted in the row, in clear only on their way to the trigger."""

from vault.keys import seal, unseal


def kwargs_sealed(text: str) -> str:
    """Return the arguments as the row keeps them.

    Args:
        text: a JSON object; anything else is what the worker has encrypted itself, and stays as it is.
    """
    return seal(text)[0] if _is_clear(text) else text


def kwargs_opened(stored: str) -> str:
    """Return the arguments as JSON text; raises ``vault.keys.UndecryptableError``."""
    if not stored:
        return "{}"
    return stored if _is_clear(stored) else unseal(stored)


def _is_clear(text: str) -> bool:
    # Ciphertext is base64 and never begins with a brace.
    return text.lstrip()[:1] == "{"
