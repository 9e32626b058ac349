"""Decides the REST operations on plugins: what a parse process told of them; the server imports none."""

from typing import Any

from dags_app.models import Plugin
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.paging import page_limit
from orchestrator.rest.params import page_params, params

operations = Operations("Plugin")

PAGE = params(page_params())
# What a plugin may bring.
LISTS = (
    "macros",
    "flask_blueprints",
    "fastapi_apps",
    "fastapi_root_middlewares",
    "external_views",
    "react_apps",
    "appbuilder_views",
    "appbuilder_menu_items",
    "global_operator_extra_links",
    "operator_extra_links",
    "listeners",
    "timetables",
)


@operations.add("GET", "/plugins", "get_plugins", params=PAGE)
def get_plugins(call: Call) -> dict[str, Any]:
    """Return the plugins as they were loaded last."""
    rows = Plugin.objects.filter(error="").order_by("pk")
    start, size = call.query.get("offset") or 0, page_limit(call.query.get("limit"))
    return {"plugins": [_plugin(row) for row in rows[start : start + size]], "total_entries": rows.count()}


@operations.add("GET", "/plugins/importErrors", "import_errors")
def import_errors(call: Call) -> dict[str, Any]:
    """Return the plugins that could not be loaded, with the reason."""
    rows = Plugin.objects.exclude(error="").order_by("pk")
    errors = [{"source": row.source, "error": row.error} for row in rows]
    return {"import_errors": errors, "total_entries": len(errors)}


def _plugin(row: Plugin) -> dict[str, Any]:
    return {"name": row.name, "source": row.source, **{name: row.content.get(name, []) for name in LISTS}}
