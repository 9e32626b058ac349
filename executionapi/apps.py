"""Decides how Django knows this app: the door for workers."""

from django.apps import AppConfig
from django.core import checks


class ExecutionApiConfig(AppConfig):
    """Everything a running task may read or report."""

    name = "executionapi"
    verbose_name = "Execution API"

    def ready(self) -> None:
        """Register the checks of the settings that depend on one another."""
        from executionapi.checks import check_token_outlives_lease

        checks.register(check_token_outlives_lease)
