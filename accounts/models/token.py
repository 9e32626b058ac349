"""Decides what is kept of an API token: its name, its limits and a hash, never the token itself (C30-e)."""

from datetime import datetime

from django.conf import settings
from django.db import models

from accounts.roles import Role


class ApiToken(models.Model):
    """A named key to the REST API that acts as its owner, with at most its own role."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    role = models.PositiveSmallIntegerField(choices=[(role.value, role.name.title()) for role in Role])
    # The token has 256 random bits, so a fast hash keeps it: there is nothing to guess.
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="How the token begins.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], condition=models.Q(revoked_at=None), name="api_token_name_of_user")
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"

    def is_valid(self, now: datetime) -> bool:
        """Return whether the token is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
