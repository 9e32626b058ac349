"""Decides what is written beside a state: the change itself, the lease of a worker, the news for the scheduler."""

from django.db import models


class StateChange(models.Model):
    """One change of state, written in the transaction that made it. ``task_id`` is empty for a change of the run."""

    id = models.BigAutoField(primary_key=True)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="state_changes")
    ti_id = models.UUIDField(null=True, blank=True)
    task_id = models.CharField(max_length=250, blank=True, default="")
    map_index = models.IntegerField(default=-1)
    try_number = models.IntegerField(default=0)
    from_state = models.CharField(max_length=20, null=True, blank=True)
    to_state = models.CharField(max_length=20, null=True, blank=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=250, blank=True, default="")
    cause = models.CharField(max_length=40, blank=True, default="")
    dispatch_id = models.UUIDField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.task_id or 'run'}: {self.from_state} → {self.to_state}"


class RunEvent(models.Model):
    """News about a run for the scheduler that owns it; deleted when taken in (ADR 0002)."""

    id = models.BigAutoField(primary_key=True)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="events")
    task_id = models.CharField(max_length=250, blank=True, default="")
    map_index = models.IntegerField(default=-1)
    state = models.CharField(max_length=20, null=True, blank=True)
    # The attempt as it is after the change: a retry or a clear gives it a new id.
    ti_id = models.UUIDField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    # An attempt that a worker may still run and that was taken from it: its executor is told to stop it.
    revoked_id = models.UUIDField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.dag_run_id} {self.task_id}[{self.map_index}] {self.state}"


class TaskLease(models.Model):
    """The promise of a worker that it runs an attempt; a narrow row, so that heartbeats never touch the attempt."""

    ti_id = models.UUIDField(primary_key=True)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="+")
    dispatch_id = models.UUIDField()
    owner = models.CharField(max_length=600, help_text="hostname:pid of the task process")
    renewed_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.ti_id} until {self.expires_at}"


class RenderedFields(models.Model):
    """The rendered template fields of one attempt, masked by the worker."""

    ti_id = models.UUIDField(primary_key=True)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="+")
    fields = models.TextField(help_text="JSON object")

    class Meta:
        verbose_name = "rendered fields"
        verbose_name_plural = "rendered fields"

    def __str__(self) -> str:
        return str(self.ti_id)


class TaskReschedule(models.Model):
    """One poke of a sensor in reschedule mode."""

    id = models.BigAutoField(primary_key=True)
    ti_id = models.UUIDField(db_index=True)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="+")
    try_number = models.IntegerField()
    start_date = models.DateTimeField()
    end_date = models.DateTimeField()
    reschedule_date = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.ti_id} until {self.reschedule_date}"
