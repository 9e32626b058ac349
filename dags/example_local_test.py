"""Runs by itself: `python dags/example_local_test.py` tries the DAG in this process, without any service."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, task

with DAG(
    "example_local_test", schedule=None, start_date=datetime(2024, 1, 1), params={"rows": 3}, tags=["example"], doc_md=__doc__
) as dag:

    @task(retries=2, retry_delay=timedelta(seconds=1))
    def fetch(params=None, ti=None) -> list[int]:
        """Fail at the first try; in a run in memory the second comes at once."""
        if ti.try_number == 1:
            raise ConnectionError("The source is not ready yet.")
        return list(range(params["rows"]))

    @task
    def double(row: int) -> int:
        """Work on one row."""
        return row * 2

    @task
    def total(rows: list[int]) -> int:
        """Add what all rows gave."""
        return sum(rows)

    total(double.expand(row=fetch()))

if __name__ == "__main__":
    dag.test(run_conf={"rows": 4})
