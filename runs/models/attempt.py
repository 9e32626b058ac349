"""Decides what an attempt of a task is: the current one (TaskInstance) and the earlier ones (TaskInstanceHistory)."""

from django.db import models

from orchestrator.kernel.ids import new_id
from runs.states import TaskInstanceState


class AttemptFields(models.Model):
    """The columns that a current attempt and an archived one share."""

    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="+")
    dag_id = models.CharField(max_length=250)
    run_id = models.CharField(max_length=250)
    task_id = models.CharField(max_length=250)
    map_index = models.IntegerField(default=-1)
    try_number = models.IntegerField(default=0)
    max_tries = models.IntegerField(default=0)
    infra_tries = models.IntegerField(default=0, help_text="Attempts lost to the infrastructure since the last clear.")
    state = models.CharField(max_length=20, null=True, blank=True)
    start_date = models.DateTimeField(null=True, blank=True)
    end_date = models.DateTimeField(null=True, blank=True)
    duration = models.FloatField(null=True, blank=True)
    scheduled_dttm = models.DateTimeField(null=True, blank=True)
    queued_dttm = models.DateTimeField(null=True, blank=True)
    hostname = models.CharField(max_length=1000, blank=True, default="")
    unixname = models.CharField(max_length=1000, blank=True, default="")
    pid = models.IntegerField(null=True, blank=True)
    pool = models.CharField(max_length=256, default="default_pool")
    pool_slots = models.IntegerField(default=1)
    queue = models.CharField(max_length=256, default="default")
    priority_weight = models.IntegerField(default=1)
    operator = models.CharField(max_length=1000, blank=True, default="")
    custom_operator_name = models.CharField(max_length=1000, blank=True, default="")
    task_display_name = models.CharField(max_length=2000, blank=True, default="")
    rendered_map_index = models.CharField(max_length=250, null=True, blank=True)
    executor = models.CharField(max_length=1000, null=True, blank=True)
    executor_config = models.JSONField(default=dict, blank=True)
    dag_version = models.ForeignKey("dags_app.DagVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    # The hand-over that owns the attempt (invariant I1): a report with another id is stale.
    dispatch_id = models.UUIDField(null=True, blank=True)
    # The process that queued it, so that a dead scheduler's hand-overs are redone at once.
    queued_by = models.UUIDField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True, help_text="When up_for_retry or up_for_reschedule ends.")
    trigger_id = models.BigIntegerField(null=True, blank=True)
    trigger_timeout = models.DateTimeField(null=True, blank=True)
    next_method = models.CharField(max_length=1000, null=True, blank=True)
    next_kwargs = models.JSONField(null=True, blank=True)
    # What ended it: a word of runs.causes and the evidence for it.
    cause = models.CharField(max_length=40, null=True, blank=True)
    cause_detail = models.TextField(null=True, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    signal = models.IntegerField(null=True, blank=True)
    peak_rss_kb = models.BigIntegerField(null=True, blank=True)
    wait_reason = models.CharField(max_length=50, null=True, blank=True)
    wait_detail = models.JSONField(null=True, blank=True)
    wait_since = models.DateTimeField(null=True, blank=True)
    note = models.TextField(null=True, blank=True)
    note_user = models.CharField(max_length=512, null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        index = "" if self.map_index < 0 else f"[{self.map_index}]"
        return f"{self.dag_id}.{self.task_id}{index} {self.run_id} try {self.try_number}"


class TaskInstanceQuerySet(models.QuerySet["TaskInstance"]):
    """The words for choosing task instances."""

    def scheduled(self) -> "TaskInstanceQuerySet":
        """Decided to run, waiting for slots."""
        return self.filter(state=TaskInstanceState.SCHEDULED)

    def occupying(self) -> "TaskInstanceQuerySet":
        """Holding a slot: handed to an executor or running."""
        return self.filter(state__in=[TaskInstanceState.QUEUED, TaskInstanceState.RUNNING])


class TaskInstance(AttemptFields):
    """The current attempt of one task (one map index) in one run."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="task_instances")

    objects = TaskInstanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dag_run", "task_id", "map_index"], name="task_instance_unique"),
        ]
        indexes = [
            # scheduler.queue: best candidates of one (pool, DAG)
            models.Index(
                fields=["pool", "dag_id", "-priority_weight", "id"],
                condition=models.Q(state="scheduled"),
                name="ti_scheduled",
            ),
            # slots in use per pool, DAG and run; few rows at any time
            models.Index(
                fields=["state", "pool", "dag_id"],
                condition=models.Q(state__in=["queued", "running", "deferred", "restarting"]),
                name="ti_occupying",
            ),
            # duties.wake_waiting: what is due again
            models.Index(
                fields=["retry_at"],
                condition=models.Q(state__in=["up_for_retry", "up_for_reschedule"]),
                name="ti_due_again",
            ),
            models.Index(fields=["dag_id", "task_id", "dag_run"], name="ti_dag_task"),
            # lists over all runs: in their own order, newest first, of a state, of a DAG (benchmarks/README.md has their cost)
            # (both with the run, so that rows of other runs are passed over inside of the index)
            models.Index(fields=["map_index", "id", "dag_run"], name="ti_list"),
            models.Index(fields=["-start_date", "-id"], name="ti_start"),
            models.Index(fields=["state", "map_index", "id", "dag_run"], name="ti_state"),
            models.Index(fields=["dag_id", "-start_date", "-id"], name="ti_dag_start"),
        ]


class TaskInstanceHistory(AttemptFields):
    """An earlier attempt; its primary key is the id that it had while it was the current one."""

    id = models.UUIDField(primary_key=True, editable=False)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="task_instance_history")

    class Meta:
        verbose_name_plural = "task instance history"
        indexes = [models.Index(fields=["dag_run", "task_id", "map_index", "try_number"], name="tih_attempt")]
