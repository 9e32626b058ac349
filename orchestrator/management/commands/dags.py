"""Decides the command ``dags``: which actions it has."""

from orchestrator.management.command import AirflowCommand
from orchestrator.management.dags.changing import CLEAR, DELETE, RESERIALIZE
from orchestrator.management.dags.drawing import SHOW, SHOW_DEPENDENCIES
from orchestrator.management.dags.listing import LIST, LIST_IMPORT_ERRORS, LIST_JOBS, REPORT
from orchestrator.management.dags.reading import DETAILS, LIST_RUNS, NEXT_EXECUTION, STATE
from orchestrator.management.dags.switching import PAUSE, UNPAUSE
from orchestrator.management.dags.testing import TEST
from orchestrator.management.dags.trigger import TRIGGER


class Command(AirflowCommand):
    """With Airflow's names, flags and forms of output."""

    help = "Run, list, switch and draw DAGs."
    reading = (LIST, DETAILS, LIST_RUNS, STATE, NEXT_EXECUTION, LIST_IMPORT_ERRORS, LIST_JOBS, REPORT, SHOW, SHOW_DEPENDENCIES)
    actions = (TRIGGER, TEST, PAUSE, UNPAUSE, CLEAR, DELETE, RESERIALIZE, *reading)
