"""Decides the REST operations on import errors."""

from typing import Any

from dags_app.api.schemas import IMPORT_ERROR
from dags_app.models import ParseImportError
from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import equal, matching, order_param, page_params, params

operations = Operations("Import Error")

LIST = params(
    page_params(),
    order_param(),
    matching("filename", "filename"),
    equal("filename", "filename"),
    equal("bundle_name", "bundle_id"),
)
ORDER = ordering("id", "timestamp", "filename", "stacktrace", default=["id"], import_error_id="id", bundle_name="bundle_id")


@operations.add("GET", "/importErrors", "get_import_errors", params=LIST)
def get_import_errors(call: Call) -> dict[str, Any]:
    """Return the import errors."""
    rows = ParseImportError.objects.all()
    return list_body(rows, call.query, params=LIST, order=ORDER, schema=IMPORT_ERROR, key="import_errors")


@operations.add("GET", "/importErrors/{import_error_id}", "get_import_error", types={"import_error_id": scalars.integer})
def get_import_error(call: Call) -> dict[str, Any]:
    """Return one import error."""
    key = call.path["import_error_id"]
    error = ParseImportError.objects.filter(pk=key).first()
    if error is None:
        raise NotFoundError(f"The ImportError with import_error_id: `{key}` was not found")
    return IMPORT_ERROR.of(error)
