"""Decides what is kept of the events of assets, and which run of which consumer took each of them (C23)."""

from django.db import models


class AssetEvent(models.Model):
    """One event of an asset; never changed. The columns of its source stay when the run is gone."""

    id = models.BigAutoField(primary_key=True)
    asset = models.ForeignKey("dags_app.Asset", on_delete=models.CASCADE, related_name="events")
    aliases = models.ManyToManyField("dags_app.AssetAlias", related_name="events", blank=True)
    extra = models.JSONField(default=dict, blank=True)
    source_dag_id = models.CharField(max_length=250, null=True, blank=True)
    source_task_id = models.CharField(max_length=250, null=True, blank=True)
    source_run_id = models.CharField(max_length=250, null=True, blank=True)
    source_map_index = models.IntegerField(default=-1)
    partition_key = models.CharField(max_length=250, null=True, blank=True)
    timestamp = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["asset", "timestamp"], name="asset_event_asset_time"),
            models.Index(fields=["source_dag_id", "source_run_id"], name="asset_event_source"),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id} at {self.timestamp}"


class AssetDelivery(models.Model):
    """One event for one consumer: waiting, taken by a run, or superseded; at most one row, so taken at most once."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(AssetEvent, on_delete=models.CASCADE, related_name="deliveries")
    dag = models.ForeignKey("dags_app.Dag", on_delete=models.CASCADE, related_name="asset_deliveries")
    # The asset again, so that "which assets have news for this DAG" needs no join.
    asset = models.ForeignKey("dags_app.Asset", on_delete=models.CASCADE, related_name="+")
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, null=True, blank=True, related_name="asset_deliveries")
    created_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True, blank=True)
    dropped_reason = models.CharField(max_length=100, blank=True, default="", help_text="Why no run will take it.")

    class Meta:
        verbose_name_plural = "asset deliveries"
        constraints = [models.UniqueConstraint(fields=["dag", "event"], name="asset_delivery_unique")]
        indexes = [
            models.Index(
                fields=["dag", "asset"],
                condition=models.Q(dag_run__isnull=True, dropped_reason=""),
                name="asset_delivery_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"event {self.event_id} for {self.dag_id}"


class PartitionWait(models.Model):
    """A run that a consumer will get for one partition key, while the keys of its upstream assets arrive."""

    id = models.BigAutoField(primary_key=True)
    dag = models.ForeignKey("dags_app.Dag", on_delete=models.CASCADE, related_name="partition_waits")
    partition_key = models.CharField(max_length=250)
    partition_date = models.DateTimeField(null=True, blank=True, help_text="Of the runs that made the events, where they agree.")
    rules = models.CharField(max_length=64, blank=True, default="", help_text="Hash of the mappers under which it was opened.")
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dag", "partition_key"], condition=models.Q(dag_run__isnull=True), name="partition_wait_open_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dag_id} {self.partition_key}"


class PartitionArrival(models.Model):
    """One event that counts for a partition wait, with the key that it came under."""

    id = models.BigAutoField(primary_key=True)
    wait = models.ForeignKey(PartitionWait, on_delete=models.CASCADE, related_name="arrivals")
    event = models.ForeignKey(AssetEvent, on_delete=models.CASCADE, related_name="partition_arrivals")
    asset = models.ForeignKey("dags_app.Asset", on_delete=models.CASCADE, related_name="+")
    source_partition_key = models.CharField(max_length=250)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wait", "event"], name="partition_arrival_unique")]

    def __str__(self) -> str:
        return f"{self.wait_id} {self.source_partition_key}"
