"""Decides how Django knows this app: what may run."""

from django.apps import AppConfig


class DagsAppConfig(AppConfig):
    """DAGs, their versions, bundles and import errors."""

    name = "dags_app"
    verbose_name = "DAGs"
    default_auto_field = "django.db.models.BigAutoField"
