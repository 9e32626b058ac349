"""Decides what is kept of a question to a person and of the answer (human in the loop)."""

from django.db import models


class HITLDetail(models.Model):
    """The question of one attempt; it stays with the attempt when that is archived."""

    ti_id = models.UUIDField(primary_key=True)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="hitl_details")
    task_id = models.CharField(max_length=250)
    map_index = models.IntegerField(default=-1)
    subject = models.TextField()
    body = models.TextField(null=True, blank=True)
    options = models.JSONField(default=list)
    defaults = models.JSONField(null=True, blank=True)
    multiple = models.BooleanField(default=False)
    params = models.JSONField(default=dict, blank=True)
    assignees = models.JSONField(default=list, blank=True, help_text="[{id, name}]; empty: anyone who may edit the task.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    responded_at = models.DateTimeField(null=True, blank=True)
    responded_by = models.JSONField(null=True, blank=True, help_text="{id, name}; null for the answer by default.")
    chosen_options = models.JSONField(null=True, blank=True)
    params_input = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = "question to a person"
        verbose_name_plural = "questions to people"
        indexes = [
            models.Index(fields=["-created_at"], condition=models.Q(responded_at__isnull=True), name="hitl_open"),
            models.Index(fields=["expires_at"], condition=models.Q(responded_at__isnull=True), name="hitl_expiry"),
        ]

    def __str__(self) -> str:
        return self.subject
