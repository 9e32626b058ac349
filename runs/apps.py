"""Decides how Django knows this app: what runs."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """DAG runs, task instances and everything that moves them."""

    name = "runs"
    verbose_name = "Runs"
    default_auto_field = "django.db.models.BigAutoField"
