"""Decides what a connection is."""

from typing import Any

from django.db import models

from vault.fields import EncryptedTextField, revealed, sealed_on


class Connection(models.Model):
    """Where another system is and how to sign in to it; the columns are Airflow's, so its rows stay readable."""

    conn_id = models.CharField(max_length=250, unique=True)
    conn_type = models.CharField(max_length=500)
    description = models.TextField(null=True, blank=True)
    host = models.CharField(max_length=500, null=True, blank=True)
    schema = models.CharField(max_length=500, null=True, blank=True)
    login = models.TextField(null=True, blank=True)
    password = EncryptedTextField(null=True, blank=True)
    port = models.IntegerField(null=True, blank=True)
    extra = EncryptedTextField(null=True, blank=True)
    is_encrypted = models.BooleanField(default=False, editable=False)
    is_extra_encrypted = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["conn_id"]

    def __str__(self) -> str:
        return self.conn_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Seal new secrets, then save."""
        sealed_on(self, "password", "is_encrypted")
        sealed_on(self, "extra", "is_extra_encrypted")
        super().save(*args, **kwargs)

    def get_password(self) -> str | None:
        """Return the password in clear; raises ``vault.keys.UndecryptableError``."""
        return revealed(self.password, self.is_encrypted)

    def get_extra(self) -> str | None:
        """Return the extra JSON text in clear; raises ``vault.keys.UndecryptableError``."""
        return revealed(self.extra, self.is_extra_encrypted)
