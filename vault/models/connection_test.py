"""Decides what is kept about the test of a connection: its parts until it ends, then only the result."""

import secrets
from typing import Any

from django.db import models
from django.db.models import Q

from orchestrator.kernel.ids import new_id
from vault.fields import EncryptedTextField, revealed, sealed_on

ACTIVE = ("pending", "queued", "running")


def new_token() -> str:
    """Return what the person who ordered a test asks for its result with."""
    return secrets.token_urlsafe(32)


class ConnectionTest(models.Model):
    """One test of a connection by a worker; at most one at a time per connection id."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    token = models.CharField(max_length=64, unique=True, default=new_token)
    connection_id = models.CharField(max_length=250)
    parts = EncryptedTextField(null=True)
    is_encrypted = models.BooleanField(default=False, editable=False)
    commit_on_success = models.BooleanField(default=False)
    executor = models.CharField(max_length=256, null=True)
    queue = models.CharField(max_length=256, null=True)
    state = models.CharField(max_length=10, default="pending")
    result_message = models.TextField(null=True)
    ordered_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection_id"], condition=Q(state__in=ACTIVE), name="one_active_connection_test")
        ]
        indexes = [models.Index(fields=["state"], condition=Q(state__in=ACTIVE), name="active_connection_tests")]

    def __str__(self) -> str:
        return self.connection_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Seal the parts, then save."""
        sealed_on(self, "parts", "is_encrypted")
        super().save(*args, **kwargs)

    def get_parts(self) -> str | None:
        """Return the parts as JSON text; raises ``vault.keys.UndecryptableError``."""
        return revealed(self.parts, self.is_encrypted)
