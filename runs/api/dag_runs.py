"""Decides the REST operations that read DAG runs."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from orchestrator.rest import scalars
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, between, equal, matching, one_of, order_param, page_params, params, states
from runs.api.queries import attach_to_runs, run_or_404, runs, with_duration
from runs.api.schemas import RUN
from runs.models import DagRun
from runs.states import DagRunState

operations = Operations("DagRun")

# In the order of Airflow's own list, which its error text repeats.
RUN_TYPES = ("backfill", "scheduled", "manual", "operator_triggered", "asset_triggered", "asset_materialization")


def seconds(value: Any) -> timedelta:
    """Take a duration in seconds."""
    return timedelta(seconds=min(max(scalars.number(value), -1e11), 1e11))


def _conf_contains(rows: QuerySet[DagRun], value: str) -> QuerySet[DagRun]:
    return rows.filter(conf__icontains=value) if value else rows


LIST = params(
    Param("cursor"),
    page_params(),
    *(between(name, name) for name in ("run_after", "logical_date", "start_date", "end_date", "updated_at")),
    between("duration", "length", seconds),
    Param("partition_date_gte", scalars.instant),
    Param("partition_date_lte", scalars.instant),
    Param("conf_contains", apply=_conf_contains),
    states("run_type", "run_type", RUN_TYPES, "run type"),
    states("state", "state", tuple(DagRunState), "state"),
    one_of("dag_version", "created_dag_version__version_number", scalars.integer),
    equal("bundle_version", "bundle_version"),
    order_param(),
    matching("run_id", "run_id"),
    matching("triggering_user_name", "triggering_user_name"),
    matching("dag_id", "dag__dag_id"),
    matching("partition_key", "partition_key"),
    Param("consuming_asset_pattern"),
)
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
    default=["id"],
    dag_run_id="run_id",
    duration="length",
    partition_date="partition_key",
)


@operations.add("GET", "/dags/{dag_id}/dagRuns", "get_dag_runs", params=LIST)
def get_dag_runs(call: Call) -> dict[str, Any]:
    """Return the runs of a DAG, of all DAGs for ``~``."""
    return list_body(
        with_duration(runs(call.path["dag_id"])),
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
