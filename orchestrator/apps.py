"""Decides what the project itself adds to Django: commands, checks, how a new connection reads."""

from typing import Any

from django.apps import AppConfig
from django.core.checks import register
from django.db.backends.signals import connection_created


class OrchestratorConfig(AppConfig):
    """The wiring of the project; it has no models."""

    name = "orchestrator"
    label = "orchestrator"

    def ready(self) -> None:
        from orchestrator.checks import check_configuration

        register(check_configuration)
        connection_created.connect(_on_connection)


def _on_connection(sender: type, connection: Any, **kwargs: Any) -> None:
    if connection.vendor == "postgresql":
        from orchestrator.postgres_instants import use_on

        use_on(connection.connection)
