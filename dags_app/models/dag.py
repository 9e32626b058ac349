"""Decides what is known of a DAG beside its versions: switches, limits, next run."""

from datetime import datetime

from django.db import models


class DagQuerySet(models.QuerySet["Dag"]):
    """The words for choosing DAGs."""

    def active(self) -> "DagQuerySet":
        """DAGs whose file still defines them."""
        return self.filter(is_stale=False)

    def due(self, now: datetime) -> "DagQuerySet":
        """Active, unpaused DAGs whose next scheduled run may be created."""
        return self.active().filter(is_paused=False, next_dagrun_create_after__lte=now)


class Dag(models.Model):
    """One DAG; the columns are copied from its newest version so that lists need no JSON."""

    dag_id = models.CharField(max_length=250, primary_key=True)
    dag_display_name = models.CharField(max_length=2000, blank=True)
    bundle = models.ForeignKey("dags_app.Bundle", on_delete=models.PROTECT, related_name="dags")
    bundle_version = models.CharField(max_length=200, null=True, blank=True)
    relative_fileloc = models.CharField(max_length=2000, blank=True)
    fileloc = models.CharField(max_length=2000, blank=True)
    description = models.TextField(null=True, blank=True)
    owners = models.CharField(max_length=2000, blank=True)
    timetable_type = models.CharField(max_length=255, blank=True)
    timetable_summary = models.TextField(null=True, blank=True)
    timetable_description = models.CharField(max_length=1000, null=True, blank=True)
    is_paused = models.BooleanField(default=True)
    is_stale = models.BooleanField(default=False)
    has_import_errors = models.BooleanField(default=False)
    has_task_concurrency_limits = models.BooleanField(default=False)
    max_active_tasks = models.IntegerField(default=16)
    max_active_runs = models.IntegerField(null=True, default=16)
    max_consecutive_failed_dag_runs = models.IntegerField(default=0)
    catchup = models.BooleanField(default=False)
    latest_version = models.ForeignKey("dags_app.DagVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    last_parsed_time = models.DateTimeField(null=True, blank=True)
    last_parse_duration = models.FloatField(null=True, blank=True)
    last_expired = models.DateTimeField(null=True, blank=True)
    next_dagrun_logical_date = models.DateTimeField(null=True, blank=True)
    next_dagrun_data_interval_start = models.DateTimeField(null=True, blank=True)
    next_dagrun_data_interval_end = models.DateTimeField(null=True, blank=True)
    next_dagrun_create_after = models.DateTimeField(null=True, blank=True)
    # What a due run does while another run of the schedule is unfinished (C24-e).
    overlap_policy = models.CharField(max_length=20, default="allow")
    # Which of the waiting events of assets a run takes, and after how many seconds with the policy "window" (C23-b).
    event_policy = models.CharField(max_length=20, default="batch")
    event_window = models.FloatField(null=True, blank=True)
    # Chosen when the DAG was switched on: up to here every missed interval runs, or none (C24-c).
    catch_up_until = models.DateTimeField(null=True, blank=True)
    skip_missed_until = models.DateTimeField(null=True, blank=True)
    # A DAG whose document cannot be read or scheduled is set aside alone, with the error (invariant I4).
    scheduling_error = models.TextField(blank=True, default="")
    scheduling_error_count = models.IntegerField(default=0)
    scheduling_retry_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DagQuerySet.as_manager()

    class Meta:
        verbose_name = "DAG"
        indexes = [
            # DagQuerySet.due, asked by every scheduler loop
            models.Index(
                fields=["next_dagrun_create_after"],
                condition=models.Q(is_paused=False, is_stale=False),
                name="dag_due",
            ),
        ]

    def __str__(self) -> str:
        return self.dag_id


class DagTag(models.Model):
    """A tag of a DAG."""

    dag = models.ForeignKey(Dag, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=100)

    class Meta:
        verbose_name = "DAG tag"
        constraints = [models.UniqueConstraint(fields=["name", "dag"], name="dag_tag_unique")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DagOwnerLink(models.Model):
    """A link that an author gave for an owner."""

    dag = models.ForeignKey(Dag, on_delete=models.CASCADE, related_name="owner_links")
    owner = models.CharField(max_length=500)
    link = models.CharField(max_length=500)

    class Meta:
        verbose_name = "DAG owner link"
        constraints = [models.UniqueConstraint(fields=["dag", "owner"], name="dag_owner_link_unique")]

    def __str__(self) -> str:
        return f"{self.owner}: {self.link}"
