"""Decides how values that tasks pass on are kept."""

from django.db import models


class XCom(models.Model):
    """One value; belongs to the task instance of a run, not to an attempt."""

    id = models.BigAutoField(primary_key=True)
    dag_run = models.ForeignKey("runs.DagRun", on_delete=models.CASCADE, related_name="xcoms")
    dag_id = models.CharField(max_length=250)
    run_id = models.CharField(max_length=250)
    task_id = models.CharField(max_length=250)
    map_index = models.IntegerField(default=-1)
    key = models.CharField(max_length=512)
    value = models.TextField(null=True, blank=True, help_text="JSON text: key order and every character stay as sent.")
    size = models.BigIntegerField(default=0, help_text="Bytes of the JSON text.")
    mapped_length = models.IntegerField(null=True, blank=True, help_text="Length of a list or dict, for mapping over it.")
    is_dag_result = models.BooleanField(default=False, help_text="The DAG's author chose it as a result of the run.")
    location = models.CharField(max_length=2000, blank=True, default="", help_text="Where a large value is kept.")
    timestamp = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dag_run", "task_id", "map_index", "key"], name="xcom_unique")]
        indexes = [models.Index(fields=["dag_id", "task_id", "key", "run_id"], name="xcom_by_task")]
        verbose_name = "XCom"
        verbose_name_plural = "XComs"

    def __str__(self) -> str:
        return f"{self.dag_id}.{self.task_id}[{self.map_index}] {self.key}"
