"""Decides the command ``config``: which actions it has."""

from orchestrator.management.command import AirflowCommand
from orchestrator.management.config.linting import LINT, UPDATE
from orchestrator.management.config.listing import GET_VALUE, LIST


class Command(AirflowCommand):
    """With Airflow's names and flags."""

    help = "Show, check and update the configuration."
    actions = (LIST, GET_VALUE, LINT, UPDATE)
