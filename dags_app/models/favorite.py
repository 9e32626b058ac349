"""Decides which DAGs a user marked."""

from django.db import models


class DagFavorite(models.Model):
    """One DAG that one user marked as a favourite; by name, because under open access nobody has a row."""

    id = models.BigAutoField(primary_key=True)
    dag = models.ForeignKey("dags_app.Dag", on_delete=models.CASCADE, related_name="favorites")
    user_name = models.CharField(max_length=512)

    class Meta:
        verbose_name = "DAG favorite"
        constraints = [models.UniqueConstraint(fields=["user_name", "dag"], name="dag_favorite_unique")]

    def __str__(self) -> str:
        return f"{self.user_name}: {self.dag_id}"
