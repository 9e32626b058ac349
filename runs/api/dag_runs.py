"""Decides the REST operations that read DAG runs."""

from typing import Any

from dags_app.api.queries import dag_or_404
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, order_param, page_params, params
from runs.api.queries import ANY, attach_to_runs, run_or_404, runs
from runs.api.schemas import RUN
from runs.models import DagRun
from runs.run_filters import BY_NAME, OF_RUNS, of_partition_days, with_duration

operations = Operations("DagRun")

LIST = params(Param("cursor"), page_params(), *OF_RUNS, order_param(), *BY_NAME)
ORDER = ordering(
    "id",
    "state",
    "dag_id",
    "run_id",
    "logical_date",
    "run_after",
    "start_date",
    "end_date",
    "updated_at",
    "conf",
    "partition_date",
    default=["id"],
    dag_run_id="run_id",
    duration="length",
)


@operations.add("GET", "/dags/{dag_id}/dagRuns", "get_dag_runs", params=LIST)
def get_dag_runs(call: Call) -> dict[str, Any]:
    """Return the runs of a DAG, of all DAGs for ``~``."""
    dag_id, query = call.path["dag_id"], call.query
    first, last = query["partition_date_gte"], query["partition_date_lte"]
    named = dag_or_404(dag_id) if dag_id != ANY and (first or last) else None
    return list_body(
        of_partition_days(with_duration(runs(dag_id)), named, first, last),
        call.query,
        params=LIST,
        order=ORDER,
        schema=RUN,
        key="dag_runs",
        attach=attach_to_runs,
        cursor=True,
    )


@operations.add("GET", "/dags/{dag_id}/dagRuns/{dag_run_id}", "get_dag_run")
def get_dag_run(call: Call) -> dict[str, Any]:
    """Return one run."""
    return run_body(run_or_404(call.path["dag_id"], call.path["dag_run_id"]))


def run_body(run: DagRun) -> dict[str, Any]:
    """Return the body of one run."""
    attach_to_runs([run])
    return RUN.of(run)
