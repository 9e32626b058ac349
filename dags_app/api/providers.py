"""Decides the REST operation on providers: ours, and the packages that are installed."""

from typing import Any

from dags_app.providers import installed_providers
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.paging import page_limit
from orchestrator.rest.params import page_params, params

operations = Operations("Provider")


@operations.add("GET", "/providers", "get_providers", params=params(page_params()))
def get_providers(call: Call) -> dict[str, Any]:
    """Return the providers by name."""
    found = installed_providers()
    start, size = call.query.get("offset") or 0, page_limit(call.query.get("limit"))
    return {"providers": found[start : start + size], "total_entries": len(found)}
