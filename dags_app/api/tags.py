"""Decides the REST operation that lists the tags in use."""

from typing import Any

from dags_app.models import DagTag
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.paging import page
from orchestrator.rest.params import matching, order_param, page_params, params

operations = Operations("DAG")

LIST = params(page_params(), order_param(), matching("tag_name", "name"))
ORDER = ordering("name", default=["name"], key="name")


@operations.add("GET", "/dagTags", "get_dag_tags", params=LIST)
def get_dag_tags(call: Call) -> dict[str, Any]:
    """Return each tag once."""
    rows = LIST.narrow(DagTag.objects.values_list("name", flat=True).distinct(), call.query)
    found = page(rows, ORDER.terms(call.query["order_by"]), call.query)
    return {"tags": list(found.rows), "total_entries": found.total}
