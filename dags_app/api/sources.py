"""Decides the REST operation that shows the text of a DAG file, as it was for a version."""

from typing import Any

from django.http import HttpResponse

from dags_app.api.queries import shown_names
from dags_app.models import DagVersion
from orchestrator.rest import scalars
from orchestrator.rest.accept import wants_text
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params

operations = Operations("DagSource")

LIST = params(Param("version_number", scalars.integer))


@operations.add("GET", "/dagSources/{dag_id}", "get_dag_source", params=LIST)
def get_dag_source(call: Call) -> dict[str, Any] | HttpResponse:
    """Return the source of the newest version, or of the one asked for; as text where the client asks for text."""
    dag_id, number = call.path["dag_id"], call.query["version_number"]
    rows = DagVersion.objects.filter(dag_id=dag_id).defer("document").select_related("code").order_by("-version_number")
    row = (rows if not number else rows.filter(version_number=number)).first()
    if row is None or row.code is None:
        raise NotFoundError(f"The source code of the Dag {dag_id}, version_number {number} was not found")
    if wants_text(call.request):
        return HttpResponse(row.code.source_code, content_type="text/plain; charset=utf-8")
    name = shown_names([dag_id])[dag_id]
    content = row.code.source_code
    return {"content": content, "dag_id": dag_id, "version_number": row.version_number, "dag_display_name": name}
