"""Which failures are tried again: by the error in the task (a retry policy), by the cause on the server (retry rules)."""

import sys
from datetime import datetime, timedelta

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule, dag, task

POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(ConnectionError, retry_delay=timedelta(seconds=1), reason="the service comes back soon"),
        RetryRule(PermissionError, RetryAction.FAIL, reason="no try gets more rights"),
    ]
)


@dag(
    start_date=datetime(2026, 1, 1),
    schedule=None,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
    # Ours, not Airflow's: the first rule that fits the cause of a failure decides.
    retry_rules=[{"exit_code": 99, "action": "skip"}, {"cause": "execution_timeout", "action": "fail"}],
    tags=["example"],
    doc_md=__doc__,
)
def example_retries() -> None:
    """Fail in four ways."""

    @task(retry_policy=POLICY)
    def comes_back(ti: object = None) -> int:
        if ti.try_number == 1:
            raise ConnectionRefusedError("not yet")
        return ti.try_number

    @task(retry_policy=POLICY)
    def gives_up() -> None:
        raise PermissionError("never")

    @task
    def has_nothing_to_do() -> None:
        sys.exit(99)

    @task(retry_delay=timedelta(seconds=1), retry_exponential_backoff=2, max_retry_delay=timedelta(seconds=2))
    def backs_off(ti: object = None) -> int:
        if ti.try_number < 3:
            raise ValueError("again")
        return ti.try_number

    comes_back()
    gives_up()
    has_nothing_to_do()
    backs_off()


example_retries()
