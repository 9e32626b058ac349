"""Decides what a backfill is: an order to have runs for the past, kept until all of them are finished (C22)."""

from django.db import models


class Backfill(models.Model):
    """One order; ``completed_at`` is set when nothing is left to do or it was cancelled."""

    class Reprocess(models.TextChoices):
        """What happens to a date that has a run already."""

        NONE = "none"
        FAILED = "failed"
        COMPLETED = "completed"

    id = models.BigAutoField(primary_key=True)
    dag = models.ForeignKey("dags_app.Dag", on_delete=models.DO_NOTHING, db_constraint=False, related_name="backfills")
    from_date = models.DateTimeField()
    to_date = models.DateTimeField()
    dag_run_conf = models.JSONField(default=dict, blank=True, null=True)
    reprocess_behavior = models.CharField(max_length=20, choices=Reprocess, default=Reprocess.NONE)
    run_backwards = models.BooleanField(default=False)
    run_on_latest_version = models.BooleanField(default=True)
    max_active_runs = models.IntegerField(default=10)
    is_paused = models.BooleanField(default=False)
    triggering_user_name = models.CharField(max_length=512, null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # one open backfill per DAG, also against two requests at once
            models.UniqueConstraint(fields=["dag"], condition=models.Q(completed_at__isnull=True), name="backfill_open_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.dag_id} {self.from_date:%Y-%m-%d} to {self.to_date:%Y-%m-%d}"


class BackfillRun(models.Model):
    """One date of a backfill: its run, or why there is none."""

    id = models.BigAutoField(primary_key=True)
    backfill = models.ForeignKey(Backfill, on_delete=models.CASCADE, related_name="entries")
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    logical_date = models.DateTimeField(null=True, blank=True)
    partition_key = models.CharField(max_length=250, null=True, blank=True)
    sort_ordinal = models.IntegerField()
    exception_reason = models.CharField(max_length=250, null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["backfill", "sort_ordinal"], name="backfill_run_order_unique")]

    def __str__(self) -> str:
        return f"{self.backfill_id} {self.logical_date or self.partition_key}"
