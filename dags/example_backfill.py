"""A daily report: order a backfill of the last days and each day gets its run, some at once, after all scheduled runs."""

from datetime import datetime

from airflow.sdk import dag, task


# `manage.py backfill create --dag-id example_backfill --from-date 2026-01-01 --to-date 2026-01-07` orders a week.
@dag(start_date=datetime(2026, 1, 1), schedule="@daily", catchup=False, max_active_runs=1, tags=["example"], doc_md=__doc__)
def example_backfill() -> None:
    """Count the orders of one day."""

    @task
    def extract(logical_date: datetime | None = None) -> int:
        return logical_date.day if logical_date else 0

    @task
    def report(orders: int, ds: str | None = None) -> str:
        return f"{ds}: {orders} orders"

    report(extract())


example_backfill()
