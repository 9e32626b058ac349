"""Decides the REST operations on DAG versions."""

from typing import Any

from dags_app.api.queries import VERSION_COLUMNS, attach_names, dag_or_404, version_or_404
from dags_app.api.schemas import VERSION
from dags_app.models import DagVersion
from orchestrator.rest import scalars
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import equal, order_param, page_params, params

operations = Operations("DagVersion")

LIST = params(
    page_params(),
    equal("version_number", "version_number", scalars.integer),
    equal("bundle_name", "bundle_name"),
    equal("bundle_version", "bundle_version"),
    order_param(),
)
ORDER = ordering("id", "version_number", "bundle_name", "bundle_version", default=["id"])


@operations.add("GET", "/dags/{dag_id}/dagVersions", "get_dag_versions", params=LIST)
def get_dag_versions(call: Call) -> dict[str, Any]:
    """Return the versions of a DAG, of all DAGs for ``~``."""
    rows = DagVersion.objects.only(*VERSION_COLUMNS)
    if call.path["dag_id"] != "~":
        rows = rows.filter(dag=dag_or_404(call.path["dag_id"]))
    return list_body(rows, call.query, params=LIST, order=ORDER, schema=VERSION, key="dag_versions", attach=attach_names)


@operations.add(
    "GET", "/dags/{dag_id}/dagVersions/{version_number}", "get_dag_version", types={"version_number": scalars.integer}
)
def get_dag_version(call: Call) -> dict[str, Any]:
    """Return one version."""
    version = version_or_404(call.path["dag_id"], call.path["version_number"])
    attach_names([version])
    return VERSION.of(version)
