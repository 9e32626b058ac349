"""Decides what is remembered of a parsed file: what it was, what it gave, and what was wrong with it."""

from django.db import models


class ParsedFile(models.Model):
    """The last parse of one file of a bundle."""

    bundle = models.ForeignKey("dags_app.Bundle", on_delete=models.CASCADE, related_name="files")
    relative_fileloc = models.CharField(max_length=2000)
    content_hash = models.CharField(max_length=64, blank=True)
    modules = models.JSONField(default=dict, blank=True, help_text="Imported modules of the bundle: path to content hash.")
    mtime_ns = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    dag_ids = models.JSONField(default=list, blank=True)
    last_parsed_at = models.DateTimeField(null=True, blank=True)
    last_duration_seconds = models.FloatField(null=True, blank=True)
    last_good_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    reparse_requested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bundle", "relative_fileloc"], name="parsed_file_unique")]

    def __str__(self) -> str:
        return self.relative_fileloc


class ParseImportError(models.Model):
    """What an author must mend before the file counts again; the last good version stays in use."""

    bundle = models.ForeignKey("dags_app.Bundle", on_delete=models.CASCADE, related_name="import_errors")
    filename = models.CharField(max_length=2000, help_text="Path relative to the bundle.")
    timestamp = models.DateTimeField()
    stacktrace = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bundle", "filename"], name="import_error_unique")]

    def __str__(self) -> str:
        return self.filename


class DagWarning(models.Model):
    """What is doubtful in a DAG that works all the same."""

    class Kind(models.TextChoices):
        """Airflow's kinds of warnings."""

        ASSET_CONFLICT = "asset conflict"
        NON_EXISTENT_POOL = "non-existent pool"
        RUNTIME_VARYING_VALUE = "runtime varying value"

    id = models.BigAutoField(primary_key=True)
    dag = models.ForeignKey("dags_app.Dag", on_delete=models.CASCADE, related_name="warnings")
    warning_type = models.CharField(max_length=50, choices=Kind)
    message = models.TextField()
    timestamp = models.DateTimeField()

    class Meta:
        verbose_name = "DAG warning"
        constraints = [models.UniqueConstraint(fields=["dag", "warning_type"], name="dag_warning_unique")]

    def __str__(self) -> str:
        return f"{self.dag_id}: {self.warning_type}"
