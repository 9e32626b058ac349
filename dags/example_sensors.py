"""Ways to wait: in the worker, giving the slot back, in the triggerer, with exponential pauses, and for another task's run."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.sensors.bash import BashSensor
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.providers.standard.sensors.python import PythonSensor
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import DAG, PokeReturnValue, task

with DAG("example_sensors_tour", schedule=None, start_date=datetime(2026, 1, 1), tags=["example", "sensors"], doc_md=__doc__):
    write = BashOperator(task_id="write", bash_command="echo 42 > /tmp/example_sensors_{{ run_id | replace(':', '_') }}")
    path = "/tmp/example_sensors_{{ run_id | replace(':', '_') }}"
    in_place = BashSensor(task_id="in_place", bash_command=f"test -s {path}", poke_interval=1, timeout=30)
    slot_back = PythonSensor(
        task_id="slot_back",
        python_callable=lambda ti: ti.start_date is not None,
        mode="reschedule",
        poke_interval=1,
        exponential_backoff=True,
        max_wait=timedelta(seconds=5),
    )
    in_triggerer = TimeDeltaSensor(task_id="in_triggerer", delta=timedelta(seconds=1), deferrable=True)
    # After a second without success the sensor is skipped instead of failed.
    never = PythonSensor(task_id="never", python_callable=lambda: False, poke_interval=1, timeout=1, soft_fail=True)
    same_run = ExternalTaskSensor(
        task_id="same_run", external_dag_id="example_sensors_tour", external_task_id="write", poke_interval=1, timeout=60
    )

    @task.sensor(poke_interval=1, timeout=30)
    def with_a_value() -> PokeReturnValue:
        return PokeReturnValue(is_done=True, xcom_value={"rows": 3})

    @task
    def count(found: dict) -> int:
        return found["rows"]

    write >> [in_place, slot_back, in_triggerer, never, same_run]
    count(with_a_value())
