"""Decides what a deferred task waits for."""

from django.db import models


class Trigger(models.Model):
    """One asynchronous wait; owned by a triggerer under a lease."""

    id = models.BigAutoField(primary_key=True)
    ti_id = models.UUIDField(null=True, blank=True, help_text="The attempt that waits for it.")
    # Or the asset whose events it makes, or the callback that it runs; at most one of the three.
    watcher = models.ForeignKey("dags_app.AssetWatcher", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    callback = models.ForeignKey("runs.Callback", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    classpath = models.CharField(max_length=1000)
    encrypted_kwargs = models.TextField(blank=True, default="")
    created_date = models.DateTimeField()
    queue = models.CharField(max_length=256, null=True, blank=True)
    triggerer_id = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["triggerer_id"], name="trigger_triggerer")]

    def __str__(self) -> str:
        return f"{self.id} {self.classpath}"
