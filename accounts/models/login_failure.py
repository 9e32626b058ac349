"""Decides what is kept of failed logins, so that all servers count together."""

from django.db import models


class LoginFailure(models.Model):
    """Failures of one user name or one address since the first of them."""

    key = models.CharField(max_length=64, primary_key=True, help_text="Hash of the user name or address.")
    count = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.count} failures of {self.key[:8]}"
