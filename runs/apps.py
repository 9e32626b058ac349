"""Decides how Django knows this app: what runs."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.apps.registry import Apps
from django.db.models.signals import post_migrate, post_save


class RunsConfig(AppConfig):
    """DAG runs, task instances and everything that moves them."""

    name = "runs"
    verbose_name = "Runs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the default pool after each migrate and deadlines with each run, and tell the DAGs' app about past runs."""
        from dags_app.services import last_interval_source
        from runs.deadlines.services import run_created
        from runs.models import DagRun
        from runs.selectors import last_automated_interval

        last_interval_source(last_automated_interval)
        post_save.connect(run_created, sender=DagRun)
        post_migrate.connect(_ensure_default_pool, sender=self)


def _ensure_default_pool(*, using: str, apps: Apps = installed, plan: Sequence[tuple[Any, bool]] = (), **_: Any) -> None:
    """Make the pool in the table as it is after this migrate; one that went back makes nothing.

    ``apps`` is no help after that one: with squashed migrations Django counts columns in that were taken away.
    """
    from orchestrator.config import conf

    if any(is_back for _migration, is_back in plan):
        return
    try:
        pools = apps.get_model("runs", "Pool").objects.using(using)
    except LookupError:
        return
    pools.get_or_create(
        pool="default_pool",
        defaults={"slots": conf.get("core", "default_pool_task_slot_count"), "description": "Default pool"},
    )
