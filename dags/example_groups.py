"""Task groups, retries and templates: one group per source, and a report when both have been loaded."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag, task, task_group


@dag(
    schedule="@daily",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    is_paused_upon_creation=True,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=10)},
    tags=["example"],
    doc_md=__doc__,
)
def example_groups() -> None:
    """Load two sources and count their rows."""

    @task
    def count(source: str) -> int:
        return len(source)

    @task_group
    def load(source: str):
        """Fetch one source, then count its rows."""
        fetch = BashOperator(task_id="fetch", bash_command=f"echo fetching {source} in {{{{ run_id }}}}")
        rows = count(source)
        fetch >> rows
        return rows

    @task
    def report(rows: list[int]) -> int:
        print(f"{sum(rows)} rows")
        return sum(rows)

    report([load("orders"), load("customers")])


example_groups()
