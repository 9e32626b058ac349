"""Decides what a saved view is: a list's filters under a name, for one person or for all."""

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """The query of a list page under a name; shared ones are offered to everybody."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=60, help_text="Name of the list page, such as dag_runs.")
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=2000, help_text="The part of the address after the question mark.")
    is_shared = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_view_unique")]
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.page}: {self.name}"
