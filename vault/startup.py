"""Decides whether the configured keys fit the stored secrets: a key that is still needed cannot be taken away."""

from django.core.management.base import CommandError
from django.db import DatabaseError

from vault.rotation import keys_missing


def check_keys() -> None:
    """Raise ``CommandError`` that says which keys are missing, for how many values, and what to do."""
    try:
        missing = keys_missing()
    except DatabaseError:  # no tables yet, so no secrets
        return
    if missing:
        raise CommandError(sentence(missing))


def sentence(missing: dict[str, int]) -> str:
    """Return what a person reads about missing keys."""
    parts = [f"{number} encrypted with key {name or '(unknown)'}" for name, number in sorted(missing.items())]
    return (
        f"[core] fernet_key lacks a key that stored secrets need: {', '.join(parts)}. Append the key ('new,old') and run "
        "`manage.py rotate_fernet_key` before you remove it. If it is lost, run `manage.py rotate_fernet_key --forget <key>` "
        "(`--forget unknown` for values without an id) and enter these secrets again."
    )
