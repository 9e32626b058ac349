"""Decides what a user is."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone


class User(AbstractUser):
    """A person or program that signs in; rights come from Django's groups and from rules on DAGs."""

    # Signed tokens that were given before this moment are refused; a new password sets it.
    tokens_valid_from = models.DateTimeField(null=True, blank=True, editable=False)
    # How this person wants the pages to look: see orchestrator/ui/preferences.py.
    preferences = models.JSONField(default=dict, blank=True, editable=False)

    def set_password(self, raw_password: str | None) -> None:
        """Set the password; of a user that exists already, every signed token given so far ends with it."""
        super().set_password(raw_password)
        if self.pk is not None:
            self.tokens_valid_from = timezone.now()
