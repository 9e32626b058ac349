"""Decides the REST operations on DAGs: list, read, pause."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.roles import Role
from dags_app.api.details import details_of
from dags_app.api.pausing import dag_pause
from dags_app.api.queries import dag_or_404
from dags_app.api.schemas import DAG
from dags_app.dag_filters import CHOICE, FILTERS, dags, of_person, tag_filter
from dags_app.models import DagFavorite
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, order_param, page_params, params

operations = Operations("DAG")

LIST = params(page_params(), FILTERS, order_param())
ORDER = ordering(
    "dag_id",
    "dag_display_name",
    "last_run_state",
    "last_run_start_date",
    default=["dag_id"],
    key="dag_id",
    next_dagrun="next_dagrun_logical_date",
    state="last_run_state",
    start_date="last_run_start_date",
)
PATCH_BODY = Body("DAGPatchBody", {"is_paused": Field(scalars.switch, required=True, null=False)})
_MASK = Param("update_mask", many=True)
PATCH_LIST = params(page_params(), CHOICE, _MASK)


@operations.add("GET", "/dags", "get_dags", params=LIST)
def get_dags(call: Call) -> dict[str, Any]:
    """Return DAGs."""
    rows = of_person(tag_filter(dags(), call.query), call.query, call.user_name)
    return list_body(rows, call.query, params=LIST, order=ORDER, schema=DAG, key="dags")


@operations.add("PATCH", "/dags", "patch_dags", role=Role.USER, params=PATCH_LIST, body=PATCH_BODY)
def patch_dags(call: Call) -> dict[str, Any]:
    """Pause or unpause the DAGs that the filters choose; without a pattern none."""
    _check_mask(call.query)
    if not call.query.get("dag_id_pattern") and not call.query.get("dag_id_prefix_pattern"):
        return {"dags": [], "total_entries": 0}
    rows = tag_filter(dags(), call.query)
    body = list_body(rows, call.query, params=PATCH_LIST, order=ORDER, schema=DAG, key="dags")
    with transaction.atomic():
        for item in body["dags"]:
            _pause(item["dag_id"], call)
    # Every filter but ``paused`` still fits; the answer shows what is stored now.
    chosen = [item | {"is_paused": call.body["is_paused"]} for item in body["dags"]]
    return body | {"dags": chosen}


@operations.add("GET", "/dags/{dag_id}", "get_dag")
def get_dag(call: Call) -> dict[str, Any]:
    """Return one DAG."""
    return DAG.of(dag_or_404(call.path["dag_id"]))


@operations.add("GET", "/dags/{dag_id}/details", "get_dag_details")
def get_dag_details(call: Call) -> dict[str, Any]:
    """Return one DAG with what its newest version says."""
    dag = dag_or_404(call.path["dag_id"])
    return details_of(dag) | {"is_favorite": DagFavorite.objects.filter(dag=dag, user_name=call.user_name).exists()}


@operations.add("PATCH", "/dags/{dag_id}", "patch_dag", role=Role.USER, params=params(_MASK), body=PATCH_BODY)
def patch_dag(call: Call) -> dict[str, Any]:
    """Pause or unpause one DAG."""
    _check_mask(call.query)
    with transaction.atomic():
        if _pause(call.path["dag_id"], call) is None:
            raise NotFoundError(f"Dag with id: {call.path['dag_id']} was not found")
    return DAG.of(dag_or_404(call.path["dag_id"]))


def _check_mask(query: Mapping[str, Any]) -> None:
    if query["update_mask"] and query["update_mask"] != ["is_paused"]:
        raise RestError(400, "Only `is_paused` field can be updated through the REST API")


def _pause(dag_id: str, call: Call) -> bool | None:
    return dag_pause(dag_id, call.body["is_paused"], actor=call.user_name)
