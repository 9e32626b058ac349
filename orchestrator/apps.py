"""Decides what the project itself adds to Django: commands, checks and the file that the first migrate writes."""

from typing import Any

from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate


class OrchestratorConfig(AppConfig):
    """The wiring of the project; it has no models."""

    name = "orchestrator"
    label = "orchestrator"

    def ready(self) -> None:
        from orchestrator.checks import check_configuration

        register(check_configuration)
        post_migrate.connect(write_configuration, sender=self)


def write_configuration(**kwargs: Any) -> None:
    """Write ``airflow.cfg`` with all options where it is missing."""
    from orchestrator.config import conf
    from orchestrator.config.cfg_file import write_cfg

    if not conf.get("core", "unit_test_mode") and write_cfg(conf.home) is not None:
        conf.reload()
