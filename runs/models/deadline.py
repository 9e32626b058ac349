"""Decides what is kept of a deadline: whose, until when, and whether it was met (C27)."""

from django.db import models

from orchestrator.kernel.ids import new_id


class Deadline(models.Model):
    """One moment by which a run, a task or a map index must be over; deleted or met when its subject ends in time."""

    class State(models.TextChoices):
        """Pending until its moment or the end of its subject; exactly one process wins the change to missed."""

        PENDING = "pending"
        MET = "met"
        MISSED = "missed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="deadlines")
    dag_id = models.CharField(max_length=250)
    task_id = models.CharField(max_length=250, blank=True, default="", help_text="Empty: the run itself.")
    map_index = models.IntegerField(default=-1)
    alert_index = models.IntegerField(default=0, help_text="Which of the DAG's alerts it comes from.")
    alert = models.JSONField(default=dict, help_text="The alert as the author wrote it: reference, interval, callback, name.")
    deadline_time = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    callback = models.ForeignKey("runs.Callback", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dag_run", "task_id", "map_index", "alert_index"], name="deadline_unique"),
        ]
        indexes = [
            models.Index(fields=["deadline_time"], condition=models.Q(state="pending"), name="deadline_pending"),
        ]

    def __str__(self) -> str:
        return f"{self.dag_id} until {self.deadline_time}"
