"""Decides what is known of a place that DAG files come from."""

from django.db import models


class Bundle(models.Model):
    """A folder or repository of DAG files; the ``[core] dags_folder`` is the bundle ``dags-folder``."""

    name = models.CharField(max_length=250, primary_key=True)
    kind = models.CharField(max_length=250, default="LocalDagBundle")
    kwargs = models.JSONField(default=dict, blank=True, help_text="Arguments of its class, without secrets.")
    path = models.CharField(max_length=2000, blank=True, help_text="Absolute folder on the machines that read it.")
    version = models.CharField(max_length=200, null=True, blank=True)
    is_active = models.BooleanField(default=True)
    last_refreshed_at = models.DateTimeField(null=True, blank=True)
    last_scan_completed_at = models.DateTimeField(null=True, blank=True)
    unreadable_since = models.DateTimeField(null=True, blank=True)
    unreadable_reason = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return self.name
