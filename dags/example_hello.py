"""A first DAG: two task functions, where the second uses what the first returns, and a shell command at the end."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, task

with DAG("example_hello", schedule=None, start_date=datetime(2024, 1, 1), tags=["example"], doc_md=__doc__):

    @task
    def name() -> str:
        """Return whom to greet."""
        return "world"

    @task
    def greet(whom: str) -> str:
        """Print a greeting; what a task prints is in its log."""
        text = f"Hello, {whom}!"
        print(text)
        return text

    greet(name()) >> BashOperator(task_id="date", bash_command="echo run {{ run_id }} on $(date +%F)")
