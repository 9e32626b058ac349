"""Decides how Django knows this app: what may run."""

from typing import Any

from django.apps import AppConfig


class DagsAppConfig(AppConfig):
    """DAGs, their versions, bundles and import errors."""

    name = "dags_app"
    verbose_name = "DAGs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let another process stand for the timetables of plugins."""
        from orchestrator.sdk.definitions.timetables import unknown_timetables

        unknown_timetables(_custom_timetable)


def _custom_timetable(document: dict[str, Any]) -> Any:
    from dags_app.custom_timetables import custom_timetable

    return custom_timetable(document)
