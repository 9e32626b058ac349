"""Decides what a variable is."""

from typing import Any

from django.db import models

from vault.fields import EncryptedTextField, revealed, sealed_on


class Variable(models.Model):
    """A named text that DAGs read at run time."""

    key = models.CharField(max_length=250, unique=True)
    val = EncryptedTextField()
    description = models.TextField(null=True, blank=True)
    is_encrypted = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Seal a new value, then save."""
        sealed_on(self, "val", "is_encrypted")
        super().save(*args, **kwargs)

    def get_val(self) -> str | None:
        """Return the value in clear; raises ``vault.keys.UndecryptableError``."""
        return revealed(self.val, self.is_encrypted)
