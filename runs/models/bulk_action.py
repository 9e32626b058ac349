"""Decides what is kept of a bulk action: the order, its frozen selection, how far it is, and what could not be done (C13-b)."""

from __future__ import annotations

from django.db import models


class BulkAction(models.Model):
    """One order for many task instances or runs; the scheduler carries it out part by part (ADR 0015)."""

    class State(models.TextChoices):
        """Queued and running are open."""

        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"
        FAILED = "failed"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=40)
    target = models.CharField(max_length=20)
    selection = models.JSONField(help_text="Filters as the lists take them, or items by their ids.")
    options = models.JSONField(default=dict, blank=True)
    actor = models.CharField(max_length=512)
    authority = models.CharField(max_length=20, help_text="Whose rights count, see accounts.later.")
    # Plain numbers: an order whose user or token is gone has lost its rights, it is not lost itself.
    user_id = models.BigIntegerField(null=True, blank=True)
    token_id = models.BigIntegerField(null=True, blank=True)
    token_name = models.CharField(max_length=100, blank=True, default="")
    door = models.CharField(max_length=20, default="ui", help_text="What triggers the runs that it starts: ui, rest_api, cli.")
    reason = models.CharField(max_length=1000, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=20, choices=State, default=State.QUEUED)
    error = models.TextField(blank=True, default="", help_text="Why it failed, or why its next part waits.")
    # The freezing goes through the runs by primary key and remembers where it is; nothing is changed before it is over.
    frozen_to = models.BigIntegerField(default=0)
    is_frozen = models.BooleanField(default=False)
    parts = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    tries = models.IntegerField(default=0, help_text="Failures of the next part as a whole, in a row.")
    retry_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    served_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # duties.carry_out_bulk_actions: the open ones, few at any time
            models.Index(fields=["served_at"], condition=models.Q(state__in=["queued", "running"]), name="bulk_action_open"),
        ]

    def __str__(self) -> str:
        return f"bulk action {self.pk}: {self.kind} {self.target} by {self.actor}"

    @property
    def is_open(self) -> bool:
        """True until it is done, cancelled or failed."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    @property
    def unchanged(self) -> int:
        """Items that needed nothing."""
        return self.done - self.changed - self.failed


class BulkPart(models.Model):
    """The items of one short transaction; the row goes with that transaction, so what is left is what is to do."""

    id = models.BigAutoField(primary_key=True)
    action = models.ForeignKey(BulkAction, on_delete=models.CASCADE, related_name="open_parts")
    number = models.IntegerField()
    # A run with more items than fit is cut: this is piece ``run_part`` of ``run_parts``.
    run_part = models.IntegerField(default=1)
    run_parts = models.IntegerField(default=1)
    runs = models.JSONField(help_text='[{"pk", "dag_id", "run_id", "items": [[task_id, map_index, attempt id]]}]')

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "number"], name="bulk_part_unique")]

    def __str__(self) -> str:
        return f"part {self.number} of bulk action {self.action_id}"


class BulkFailure(models.Model):
    """One item that could not be done, and why; the first thousand of an action are kept, all are counted."""

    id = models.BigAutoField(primary_key=True)
    action = models.ForeignKey(BulkAction, on_delete=models.CASCADE, related_name="failures")
    dag_id = models.CharField(max_length=250)
    run_id = models.CharField(max_length=250)
    task_id = models.CharField(max_length=250, blank=True, default="")
    map_index = models.IntegerField(default=-1)
    error = models.CharField(max_length=2000)
    at = models.DateTimeField()

    def __str__(self) -> str:
        place = f" {self.task_id}[{self.map_index}]" if self.task_id else ""
        return f"{self.dag_id} {self.run_id}{place}"
