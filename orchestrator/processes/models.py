"""Decides what is known of a running part of the platform: who it is, that it lives and that it makes progress."""

from django.db import models

from orchestrator.kernel.ids import new_id


class Process(models.Model):
    """One scheduler, DAG processor, triggerer, API server or worker; Airflow calls it a job."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=30)
    hostname = models.CharField(max_length=500)
    pid = models.IntegerField()
    pid_started = models.CharField(max_length=40, blank=True, help_text="Tells a reused pid from the first.")
    version = models.CharField(max_length=40, blank=True)
    config_fingerprint = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    progress_at = models.DateTimeField(null=True, blank=True, help_text="When it last finished a round of its work.")
    ended_at = models.DateTimeField(null=True, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "processes"
        indexes = [
            # selectors.processes_latest and the reaper: living processes of one kind, newest heartbeat first
            models.Index(fields=["kind", "-heartbeat_at"], name="process_kind_heartbeat"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.hostname}:{self.pid}"


class Housekeeping(models.Model):
    """When a periodic job of the platform was last done, how it ended, and whether somebody wants it now."""

    name = models.CharField(max_length=40, primary_key=True)
    begun_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    has_failed = models.BooleanField(default=False)
    result = models.TextField(blank=True, default="")
    ordered_at = models.DateTimeField(null=True, blank=True)
    ordered_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "housekeeping"

    def __str__(self) -> str:
        return self.name
