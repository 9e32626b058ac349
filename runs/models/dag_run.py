"""Decides what a DAG run is."""

from datetime import datetime

from django.db import models

from runs.states import DagRunState, DagRunType


class DagRunQuerySet(models.QuerySet["DagRun"]):
    """The words for choosing runs."""

    def unfinished(self) -> "DagRunQuerySet":
        """Runs that are queued or running."""
        return self.filter(state__in=[DagRunState.QUEUED, DagRunState.RUNNING])

    def running(self) -> "DagRunQuerySet":
        """Runs whose tasks are being decided."""
        return self.filter(state=DagRunState.RUNNING)


class DagRun(models.Model):
    """One run of a DAG."""

    id = models.BigAutoField(primary_key=True)
    # No database constraint: runs outlive a DAG that was deleted, as in Airflow.
    dag = models.ForeignKey("dags_app.Dag", on_delete=models.DO_NOTHING, db_constraint=False, related_name="runs")
    run_id = models.CharField(max_length=250)
    run_type = models.CharField(max_length=50, choices=[(t.value, t.value) for t in DagRunType])
    state = models.CharField(max_length=50, default=DagRunState.QUEUED.value)
    logical_date = models.DateTimeField(null=True, blank=True)
    data_interval_start = models.DateTimeField(null=True, blank=True)
    data_interval_end = models.DateTimeField(null=True, blank=True)
    run_after = models.DateTimeField()
    queued_at = models.DateTimeField(null=True, blank=True)
    start_date = models.DateTimeField(null=True, blank=True)
    end_date = models.DateTimeField(null=True, blank=True)
    conf = models.JSONField(default=dict, blank=True)
    triggered_by = models.CharField(max_length=50, null=True, blank=True)
    triggering_user_name = models.CharField(max_length=512, null=True, blank=True)
    partition_key = models.CharField(max_length=250, null=True, blank=True)
    partition_date = models.DateTimeField(null=True, blank=True)
    created_dag_version = models.ForeignKey(
        "dags_app.DagVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    bundle_version = models.CharField(max_length=250, null=True, blank=True)
    backfill = models.ForeignKey("runs.Backfill", on_delete=models.SET_NULL, null=True, blank=True, related_name="runs")
    clear_number = models.IntegerField(default=0)
    note = models.TextField(null=True, blank=True)
    note_user = models.CharField(max_length=512, null=True, blank=True)
    # Who stopped the run: it ends as failed, also where teardowns still run; whoever begins it again takes this away.
    stopped_by = models.CharField(max_length=512, null=True, blank=True)
    # The scheduler process that decides this run now; it may be taken over once that process is gone (ADR 0002).
    scheduler_id = models.UUIDField(null=True, blank=True)
    wait_reason = models.CharField(max_length=50, null=True, blank=True)
    wait_detail = models.JSONField(null=True, blank=True)
    wait_since = models.DateTimeField(null=True, blank=True)
    scheduling_error = models.TextField(blank=True, default="")
    scheduling_retry_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DagRunQuerySet.as_manager()

    class Meta:
        verbose_name = "DAG run"
        constraints = [
            models.UniqueConstraint(fields=["dag", "run_id"], name="dag_run_dag_id_run_id_key"),
            models.UniqueConstraint(fields=["dag", "logical_date"], name="dag_run_dag_id_logical_date_key"),
        ]
        indexes = [
            # duties.claim_runs: unfinished runs, few at any time
            models.Index(
                fields=["state", "dag", "run_after"], condition=models.Q(state__in=["queued", "running"]), name="dag_run_open"
            ),
            models.Index(fields=["dag", "-run_after"], name="dag_run_dag_run_after"),
            models.Index(fields=["-run_after"], name="dag_run_run_after"),
            models.Index(fields=["-start_date", "-id"], name="dag_run_start"),
        ]

    def __str__(self) -> str:
        return f"{self.dag_id} {self.run_id}"

    @property
    def duration(self) -> float | None:
        """Seconds between start and end, None before the end."""
        if self.start_date is None or self.end_date is None:
            return None
        return (self.end_date - self.start_date).total_seconds()

    def age(self, now: datetime) -> float:
        """Seconds since the run became due."""
        return (now - self.run_after).total_seconds()
