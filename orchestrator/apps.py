"""Decides what the project itself adds to Django: commands and checks."""

from django.apps import AppConfig
from django.core.checks import register


class OrchestratorConfig(AppConfig):
    """The wiring of the project; it has no models."""

    name = "orchestrator"
    label = "orchestrator"

    def ready(self) -> None:
        from orchestrator.checks import check_configuration

        register(check_configuration)
