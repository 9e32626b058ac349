"""Decides what a version of a DAG is: a serialized document that differs in structure from the one before."""

from django.db import models

from orchestrator.kernel.ids import new_id


class DagCode(models.Model):
    """The text of a DAG file, once per content."""

    source_hash = models.CharField(max_length=64, primary_key=True)
    source_code = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "DAG code"

    def __str__(self) -> str:
        return self.source_hash[:12]


class DagVersion(models.Model):
    """One version; runs and attempts point at the version they use."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dag = models.ForeignKey("dags_app.Dag", on_delete=models.CASCADE, related_name="versions")
    version_number = models.IntegerField()
    bundle_name = models.CharField(max_length=250, null=True, blank=True)
    bundle_version = models.CharField(max_length=200, null=True, blank=True)
    structure_hash = models.CharField(max_length=64)
    attributes_hash = models.CharField(max_length=64)
    code = models.ForeignKey(DagCode, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # JSON text, not jsonb: the bytes stay as they were hashed, and any strange string survives.
    document = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    last_updated = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "DAG version"
        constraints = [models.UniqueConstraint(fields=["dag", "version_number"], name="dag_version_number_unique")]
        ordering = ["dag_id", "version_number"]

    def __str__(self) -> str:
        return f"{self.dag_id} v{self.version_number}"
