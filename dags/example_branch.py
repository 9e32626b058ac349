"""A branch: the task that is not chosen is skipped, and the join runs although one of its upstream tasks was skipped."""

from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Label, Param, task

with DAG(
    "example_branch",
    schedule=None,
    start_date=datetime(2024, 1, 1),
    params={"size": Param("small", type="string", enum=["small", "large"], description="Which branch to follow")},
    tags=["example"],
    doc_md=__doc__,
):

    @task.branch
    def choose(params: dict[str, str] | None = None) -> str:
        """Return the id of the task to follow."""
        return f"{(params or {})['size']}_load"

    small, large = EmptyOperator(task_id="small_load"), EmptyOperator(task_id="large_load")
    join = EmptyOperator(task_id="join", trigger_rule="none_failed_min_one_success")
    branch = choose()
    branch >> Label("small") >> small >> join
    branch >> Label("large") >> large >> join
