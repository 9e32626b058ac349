"""Two DAGs, the second waits for the first: a marker tells who clears the first that the second has to run again too."""

from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor
from airflow.sdk import DAG

START = datetime(2024, 1, 1)

with DAG("example_marker_parent", schedule=None, start_date=START, tags=["example"], doc_md=__doc__):
    load = EmptyOperator(task_id="load")
    load >> ExternalTaskMarker(
        task_id="child_depends_on_it",
        external_dag_id="example_marker_child",
        external_task_id="wait_for_parent",
        recursion_depth=3,
    )

with DAG("example_marker_child", schedule=None, start_date=START, tags=["example"], doc_md=__doc__):
    wait = ExternalTaskSensor(
        task_id="wait_for_parent",
        external_dag_id="example_marker_parent",
        external_task_id="load",
        mode="reschedule",
        poke_interval=1,
        timeout=600,
    )
    wait >> EmptyOperator(task_id="report")
