"""Decides the REST operations on DAGs: list, read, pause."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.roles import Role
from dags_app.api.details import details_of
from dags_app.api.pausing import dag_pause
from dags_app.api.queries import dag_or_404, dags, owned_by, tagged, with_run
from dags_app.api.schemas import DAG
from dags_app.models import AssetReference, Dag, DagFavorite
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, by, equal, matching, one_of, order_param, page_params, params

operations = Operations("DAG")

RUN_STATES = ("queued", "running", "success", "failed")
_BOUNDS = ("gte", "gt", "lte", "lt")


def _by_run(prefix: str, column: str) -> list[Param]:
    """Bounds on a column of any run of the DAG."""

    def param(bound: str) -> Param:
        lookup = f"{column}__{bound}"
        return Param(f"{prefix}_{bound}", scalars.instant, apply=lambda rows, value: with_run(rows, **{lookup: value}))

    return [param(bound) for bound in _BOUNDS]


def _has_assets(rows: QuerySet[Dag], wanted: bool) -> QuerySet[Dag]:
    scheduled = AssetReference.objects.filter(role=AssetReference.Role.SCHEDULE, asset__isnull=False).values("dag")
    return rows.filter(pk__in=scheduled) if wanted else rows.exclude(pk__in=scheduled)


def _depends_on(rows: QuerySet[Dag], text: str) -> QuerySet[Dag]:
    """DAGs whose schedule names an asset with this text in its name or URI."""
    meant = Q(asset__name__icontains=text) | Q(asset__uri__icontains=text)
    return rows.filter(pk__in=AssetReference.objects.filter(meant, role=AssetReference.Role.SCHEDULE).values("dag"))


_CHOICE = [
    Param("tags_match_mode", scalars.choice("any", "all", kind="literal_error")),
    # The mode is applied with the tags, see ``tag_filter``.
    Param("tags", many=True),
    Param("owners", many=True, apply=owned_by),
    *matching("dag_id", "dag_id"),
    Param("exclude_stale", scalars.switch, True, apply=lambda rows, value: rows.filter(is_stale=False) if value else rows),
    equal("paused", "is_paused", scalars.switch),
]
LIST = params(
    page_params(),
    _CHOICE,
    matching("dag_display_name", "dag_display_name"),
    equal("has_import_errors", "has_import_errors", scalars.switch),
    Param("last_dag_run_state", scalars.choice(*RUN_STATES), apply=by("last_run_state")),
    equal("bundle_name", "bundle_id"),
    equal("bundle_version", "bundle_version"),
    Param("has_asset_schedule", scalars.switch, apply=_has_assets),
    Param("asset_dependency", apply=_depends_on),
    _by_run("dag_run_start_date", "start_date"),
    _by_run("dag_run_end_date", "end_date"),
    Param("dag_run_state", scalars.choice(*RUN_STATES), many=True, apply=lambda rows, value: with_run(rows, state__in=value)),
    order_param(),
    Param("is_favorite", scalars.switch),
    one_of("timetable_type", "timetable_type"),
)
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
PATCH_LIST = params(page_params(), _CHOICE, _MASK)


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
        if not _pause(call.path["dag_id"], call):
            raise NotFoundError(f"Dag with id: {call.path['dag_id']} was not found")
    return DAG.of(dag_or_404(call.path["dag_id"]))


def tag_filter(rows: QuerySet[Dag], query: Mapping[str, Any]) -> QuerySet[Dag]:
    """Return the DAGs with the tags that are asked for, any or all of them."""
    return tagged(rows, query["tags"], query["tags_match_mode"]) if query.get("tags") else rows


def of_person(rows: QuerySet[Dag], query: Mapping[str, Any], user_name: str) -> QuerySet[Dag]:
    """Return the DAGs that the person marked, or the others, where that is asked for."""
    wanted = query.get("is_favorite")
    if wanted is None:
        return rows
    marked = DagFavorite.objects.filter(user_name=user_name).values("dag_id")
    return rows.filter(pk__in=marked) if wanted else rows.exclude(pk__in=marked)


def _check_mask(query: Mapping[str, Any]) -> None:
    if query["update_mask"] and query["update_mask"] != ["is_paused"]:
        raise RestError(400, "Only `is_paused` field can be updated through the REST API")


def _pause(dag_id: str, call: Call) -> bool:
    return dag_pause(dag_id, call.body["is_paused"], actor=call.user_name)
