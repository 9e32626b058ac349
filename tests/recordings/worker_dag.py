"""One DAG with everything that Airflow's own worker asks of the server; its tasks say which Python runs them."""

from datetime import datetime, timedelta

from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import BaseHook, PokeReturnValue, Variable, dag, get_current_context, task


@dag(dag_id="airflow_worker", schedule=None, start_date=datetime(2026, 1, 1))
def airflow_worker():
    @task
    def extract():
        import airflow.sdk.execution_time.supervisor as supervisor

        print(f"this is {supervisor.__file__}")
        return [1, 2, 3]

    @task
    def double(x):
        return 2 * x

    @task
    def total(numbers):
        return sum(numbers)

    @task(retries=1, retry_delay=timedelta(seconds=0))
    def flaky():
        attempt = get_current_context()["ti"].try_number
        if attempt == 1:
            raise ValueError("the first attempt fails")
        return attempt

    @task
    def fails():
        raise RuntimeError("always")

    @task
    def vault():
        Variable.set("written", "yes")
        connection = BaseHook.get_connection("golden")
        return [Variable.get("written"), connection.host, connection.login]

    @task.sensor(poke_interval=1, mode="reschedule", timeout=60)
    def poke():
        reschedules = get_current_context()["task_reschedule_count"]
        return PokeReturnValue(is_done=reschedules >= 1, xcom_value=reschedules)

    @task(queue="ours")
    def native():
        import sys

        return [name for name in sys.modules if name == "orchestrator.sdk"]

    total(double.expand(x=extract()))
    flaky()
    fails()
    vault()
    poke()
    native()
    TimeDeltaSensor(task_id="wait", delta=timedelta(seconds=1), deferrable=True)


airflow_worker()
