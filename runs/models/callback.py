"""Decides what is still to be delivered: callbacks and alerts, written with the change that caused them (invariant I6)."""

from django.db import models


class Callback(models.Model):
    """One delivery: run a DAG's callback in a worker or the triggerer, or send a message."""

    class State(models.TextChoices):
        """Pending and running are open; muted is an alert that a person silenced."""

        PENDING = "pending"
        RUNNING = "running"
        DELIVERED = "delivered"
        FAILED = "failed"
        MUTED = "muted"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=40)
    dag_id = models.CharField(max_length=250, blank=True, default="")
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, null=True, blank=True, related_name="callbacks")
    ti_id = models.UUIDField(null=True, blank=True)
    payload = models.JSONField(default=dict)
    dedupe_key = models.CharField(max_length=250, unique=True)
    group_key = models.CharField(max_length=250, blank=True, default="", help_text="Alerts with one key go out as one message.")
    state = models.CharField(max_length=20, choices=State, default=State.PENDING)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    # The hand-over that may report on it (invariant I1), and until when it is believed.
    dispatch_id = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    last_output = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # duties.deliver: what is due
            models.Index(fields=["next_attempt_at"], condition=models.Q(state="pending"), name="callback_pending"),
            models.Index(fields=["lease_until"], condition=models.Q(state="running"), name="callback_running"),
            models.Index(fields=["dag_id", "-id"], name="callback_dag"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class AlertMute(models.Model):
    """No alerts of a DAG until a time (C09-e)."""

    dag = models.OneToOneField("dags_app.Dag", on_delete=models.CASCADE, primary_key=True, related_name="alert_mute")
    until = models.DateTimeField()
    muted_by = models.CharField(max_length=512)
    reason = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"{self.dag_id} until {self.until}"
