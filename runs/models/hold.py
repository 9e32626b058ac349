"""Decides what is kept of a hold: a run or a task that a person stopped from going on, for a while (C21-c)."""

from django.db import models


class Hold(models.Model):
    """Nothing of the run (empty ``task_id``) or of the task instance starts while the row is there."""

    id = models.BigAutoField(primary_key=True)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="holds")
    task_id = models.CharField(max_length=250, blank=True, default="")
    map_index = models.IntegerField(default=-1)
    held_by = models.CharField(max_length=512)
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    # Of a run that a bulk action changes in several transactions; the action takes it back itself.
    bulk_action = models.ForeignKey("runs.BulkAction", on_delete=models.CASCADE, null=True, blank=True, related_name="holds")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dag_run", "task_id", "map_index"], name="hold_unique")]
        indexes = [models.Index(fields=["until"], condition=models.Q(until__isnull=False), name="hold_until")]

    def __str__(self) -> str:
        return f"{self.dag_run_id} {self.task_id or 'run'} by {self.held_by}"
