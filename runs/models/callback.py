"""Decides what is still to be delivered: callbacks and alerts, written with the change that caused them (invariant I6)."""

from django.db import models


class Callback(models.Model):
    """One delivery: run a DAG's callback in a worker, or send a message."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=40)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, null=True, blank=True, related_name="callbacks")
    ti_id = models.UUIDField(null=True, blank=True)
    payload = models.JSONField(default=dict)
    dedupe_key = models.CharField(max_length=250, unique=True)
    state = models.CharField(max_length=20, default="pending")
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_output = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # duties.deliver: what is due
            models.Index(fields=["next_attempt_at"], condition=models.Q(state="pending"), name="callback_pending"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
