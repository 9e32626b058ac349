"""One DAG starts another: waiting in its process, waiting in the triggerer, and leaving a run alone that exists already."""

from datetime import datetime

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import dag, task

START = datetime(2026, 1, 1)
RUN_ID = "of_{{ run_id }}"


@dag(start_date=START, schedule=None, tags=["example"], doc_md=__doc__)
def example_trigger_run() -> None:
    """Start the other DAG three times."""
    target = {"trigger_dag_id": "example_triggered", "conf": {"from": "{{ dag.dag_id }}", "run": "{{ run_id }}"}}
    here = TriggerDagRunOperator(task_id="wait_here", trigger_run_id=RUN_ID, wait_for_completion=True, poke_interval=1, **target)
    there = TriggerDagRunOperator(
        task_id="wait_in_triggerer", wait_for_completion=True, deferrable=True, poke_interval=1, **target
    )
    again = TriggerDagRunOperator(task_id="is_there_already", trigger_run_id=RUN_ID, skip_when_already_exists=True, **target)
    reset = TriggerDagRunOperator(
        task_id="run_again", trigger_run_id=RUN_ID, reset_dag_run=True, wait_for_completion=True, poke_interval=1, **target
    )
    here >> [there, again, reset]


@dag(start_date=START, schedule=None, tags=["example"])
def example_triggered() -> None:
    """Say who asked."""

    @task
    def greet(dag_run: object = None) -> str:
        return dag_run.conf["from"]

    greet()


example_trigger_run()
example_triggered()
