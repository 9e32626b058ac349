"""Large results: a value above 64 KB goes into the XCom store, and the tasks do not notice."""

from datetime import datetime

from airflow.sdk import dag, task


@dag(
    schedule=None,
    start_date=datetime(2024, 1, 1),
    catchup=False,
    is_paused_upon_creation=True,
    params={"bytes": 1_000_000},
    tags=["example"],
    doc_md=__doc__,
)
def example_large_xcom() -> None:
    """Make a text of some size, pass it on, and measure it."""

    @task
    def make(params=None) -> str:
        return "x" * params["bytes"]

    @task
    def measure(text: str) -> int:
        return len(text)

    measure(make())


example_large_xcom()
