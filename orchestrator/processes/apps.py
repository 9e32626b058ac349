"""Decides how Django knows this app: the processes of the platform."""

from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    """One row per running part, with its heartbeat."""

    name = "orchestrator.processes"
    label = "processes"
    verbose_name = "Processes"
    default_auto_field = "django.db.models.BigAutoField"
