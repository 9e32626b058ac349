"""Decides what is remembered of an action: who did what to which object, and what it changed."""

from django.db import models
from django.utils import timezone


class AuditLog(models.Model):
    """One action; Airflow's event log. Ids are plain text, so that the row outlives what it names."""

    id = models.BigAutoField(primary_key=True)
    when = models.DateTimeField(default=timezone.now)
    event = models.CharField(max_length=60)
    owner = models.CharField(max_length=500, null=True, blank=True, help_text="User name of who acted; empty for the platform.")
    dag_id = models.CharField(max_length=250, null=True, blank=True)
    run_id = models.CharField(max_length=250, null=True, blank=True)
    task_id = models.CharField(max_length=250, null=True, blank=True)
    map_index = models.IntegerField(null=True, blank=True)
    try_number = models.IntegerField(null=True, blank=True)
    logical_date = models.DateTimeField(null=True, blank=True)
    extra = models.TextField(null=True, blank=True, help_text="JSON text: the request, with secrets masked.")
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=1000, blank=True, default="", help_text="Why, as the person or program said it.")
    token_name = models.CharField(max_length=100, blank=True, default="", help_text="The API token that the actor used.")

    class Meta:
        ordering = ["-id"]
        indexes = [
            # eventLogs of one DAG, newest first
            models.Index(fields=["dag_id", "-id"], name="audit_dag"),
            # the audit page's time window, and pruning
            models.Index(fields=["when"], name="audit_when"),
        ]

    def __str__(self) -> str:
        return f"{self.event} by {self.owner or 'the platform'}"
