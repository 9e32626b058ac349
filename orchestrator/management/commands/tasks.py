"""Decides the command ``tasks``: which actions it has."""

from orchestrator.management.command import AirflowCommand
from orchestrator.management.tasks.clearing import CLEAR
from orchestrator.management.tasks.local import LIST, RENDER, TEST
from orchestrator.management.tasks.stored import FAILED_DEPS, STATE, STATES_FOR_DAG_RUN


class Command(AirflowCommand):
    """With Airflow's names and flags."""

    help = "Run, render, look at and clear tasks."
    actions = (TEST, RENDER, LIST, STATE, STATES_FOR_DAG_RUN, FAILED_DEPS, CLEAR)
