"""Decides how the state stores of tasks and assets are kept: values that outlive a retry, or a run."""

from django.db import models


class TaskState(models.Model):
    """One value of one task in one run; retries and clears see it."""

    id = models.BigAutoField(primary_key=True)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="task_states")
    task_id = models.CharField(max_length=250)
    map_index = models.IntegerField(default=-1)
    key = models.CharField(max_length=512)
    value = models.TextField(help_text="JSON text")
    updated_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dag_run", "task_id", "map_index", "key"], name="task_state_unique")]
        indexes = [
            models.Index(fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="task_state_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.task_id}[{self.map_index}] {self.key}"


class AssetState(models.Model):
    """One value of one asset, with who wrote it last."""

    id = models.BigAutoField(primary_key=True)
    asset = models.ForeignKey("dags_app.Asset", on_delete=models.CASCADE, related_name="states")
    key = models.CharField(max_length=512)
    value = models.TextField(help_text="JSON text")
    updated_at = models.DateTimeField()
    writer = models.JSONField(null=True, blank=True, help_text="{kind, dag_id, run_id, task_id, map_index}")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asset", "key"], name="asset_state_unique")]

    def __str__(self) -> str:
        return f"{self.asset_id} {self.key}"
