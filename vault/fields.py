"""Decides how an encrypted column behaves in a model: ciphertext on reading, opened only by ``reveal``."""

from typing import Any

from django.db import models

from vault.keys import seal, unseal


class Sealed(str):
    """Text as it is stored. Reading a row never decrypts, so one undecryptable row cannot break a list."""

    __slots__ = ()


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted on its way to the database; a plain ``str`` is sealed, a ``Sealed`` is written as it is."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | None:
        """Return what is stored, unopened."""
        return None if value is None else Sealed(value)

    def get_prep_value(self, value: Any) -> Any:
        """Return what is stored for an assigned value."""
        if value is None or isinstance(value, Sealed):
            return None if value is None else str(value)
        return seal(str(value))[0]


def sealed_on(instance: models.Model, name: str, flag: str) -> None:
    """Seal a freshly assigned plain value of the field and set the instance's flag for it."""
    value = getattr(instance, name)
    if value is None or isinstance(value, Sealed):
        return
    stored, encrypted = seal(value)
    setattr(instance, name, Sealed(stored))
    setattr(instance, flag, encrypted)


def revealed(value: str | None, encrypted: bool) -> str | None:
    """Return the clear text of a field; raises ``UndecryptableError``."""
    if value is None or not isinstance(value, Sealed) or not encrypted:
        return None if value is None else str(value)
    return unseal(value)
