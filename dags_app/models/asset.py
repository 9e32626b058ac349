"""Decides what is known of an asset: its names, and which DAGs and tasks refer to it in their newest version."""

from django.db import models


class Asset(models.Model):
    """One asset; it stays when no DAG refers to it any more, because its events do (``is_active`` then is False)."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=1500)
    uri = models.CharField(max_length=1500)
    group = models.CharField(max_length=1500, default="asset")
    extra = models.JSONField(default=dict, blank=True)
    access_control = models.JSONField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "uri"], name="asset_name_uri_unique")]
        indexes = [models.Index(fields=["uri"], name="asset_uri")]

    def __str__(self) -> str:
        return self.name


class AssetAlias(models.Model):
    """A name that a task binds to assets while it runs; ``assets`` are those it was bound to so far."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=1500, unique=True)
    group = models.CharField(max_length=1500, default="asset")
    assets = models.ManyToManyField(Asset, related_name="aliases", blank=True)

    class Meta:
        verbose_name_plural = "asset aliases"

    def __str__(self) -> str:
        return self.name


class AssetReference(models.Model):
    """One mention of an asset in the newest version of a DAG: in its schedule, or as an outlet or inlet of a task.

    Exactly one of ``asset``, ``alias``, ``name``, ``uri`` says what is meant: the last two are references that the
    author wrote without the other half (``Asset.ref``).
    """

    class Role(models.TextChoices):
        """Where the mention stands."""

        SCHEDULE = "schedule"
        OUTLET = "outlet"
        INLET = "inlet"

    id = models.BigAutoField(primary_key=True)
    dag = models.ForeignKey("dags_app.Dag", on_delete=models.CASCADE, related_name="asset_references")
    role = models.CharField(max_length=10, choices=Role)
    task_id = models.CharField(max_length=250, blank=True, default="", help_text="Empty for the schedule.")
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, null=True, blank=True, related_name="references")
    alias = models.ForeignKey(AssetAlias, on_delete=models.CASCADE, null=True, blank=True, related_name="references")
    name = models.CharField(max_length=1500, blank=True, default="")
    uri = models.CharField(max_length=1500, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["role", "asset"], name="asset_reference_role")]

    def __str__(self) -> str:
        return f"{self.dag_id} {self.role} {self.task_id}"


class AssetWatcher(models.Model):
    """A trigger that an author hung on an asset: each of its events is an event of the asset."""

    id = models.BigAutoField(primary_key=True)
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="watchers")
    name = models.CharField(max_length=1500)
    classpath = models.CharField(max_length=1000)
    encrypted_kwargs = models.TextField(blank=True, default="")
    kwargs_hash = models.CharField(max_length=64, help_text="Of class and arguments: another hash is another trigger.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asset", "name"], name="asset_watcher_unique")]

    def __str__(self) -> str:
        return self.name
