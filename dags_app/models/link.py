"""Decides what is known of the ties between DAGs: tasks of a DAG's newest version that trigger another or wait for it."""

from django.db import models


class DagLink(models.Model):
    """One task that triggers another DAG, or a sensor that waits for one."""

    class Kind(models.TextChoices):
        """What the task does."""

        TRIGGER = "trigger"
        SENSOR = "sensor"

    id = models.BigAutoField(primary_key=True)
    dag = models.ForeignKey("dags_app.Dag", on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=10, choices=Kind)
    task_id = models.CharField(max_length=250)
    label = models.CharField(max_length=2000, blank=True)
    # No foreign key: the other DAG may come later, or never.
    other_dag_id = models.CharField(max_length=250, help_text="The DAG that is triggered or waited for.")

    class Meta:
        verbose_name = "DAG link"
        # The graph of one DAG asks who triggers it.
        indexes = [models.Index(fields=["other_dag_id", "kind"], name="dag_link_other")]

    def __str__(self) -> str:
        return f"{self.dag_id}.{self.task_id} {self.kind} {self.other_dag_id}"
