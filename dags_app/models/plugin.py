"""Decides what is known of plugins: what a process that may run user code said of them."""

from django.db import models


class Plugin(models.Model):
    """A plugin as it was loaded last, or (with ``error``) one that could not be."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=500, blank=True, default="")
    source = models.TextField(help_text="File below the plugins folder, or package and entry point.")
    content = models.JSONField(default=dict, blank=True, help_text="Class paths and names of what it brings.")
    error = models.TextField(blank=True, default="")
    loaded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name or self.source
