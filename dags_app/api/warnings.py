"""Decides the REST operations on warnings of DAGs."""

from typing import Any

from dags_app.api.queries import attach_names
from dags_app.models import DagWarning
from orchestrator.rest import scalars
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, by, equal, order_param, page_params, params
from orchestrator.rest.schemas import Schema

operations = Operations("DagWarning")

WARNING = Schema("DAGWarningResponse", "dag_id", "warning_type", "message", "timestamp", dag_display_name="shown_dag_name")
LIST = params(
    equal("dag_id", "dag_id"),
    Param("warning_type", scalars.choice(*DagWarning.Kind.values), apply=by("warning_type")),
    page_params(),
    order_param(),
)
ORDER = ordering("dag_id", "warning_type", "message", "timestamp", default=["dag_id"])


@operations.add("GET", "/dagWarnings", "list_dag_warnings", params=LIST)
def list_dag_warnings(call: Call) -> dict[str, Any]:
    """Return what is doubtful in DAGs that work all the same."""
    rows = DagWarning.objects.all()
    return list_body(rows, call.query, params=LIST, order=ORDER, schema=WARNING, key="dag_warnings", attach=attach_names)
