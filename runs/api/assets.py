"""Decides the REST operations on assets and aliases: list, read, materialize."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.roles import Role
from dags_app.models import Asset, AssetAlias, AssetReference, Dag
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import ConflictError, NotFoundError, RestError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, matching, order_param, page_params, params
from runs.api.asset_queries import asset_or_404, assets, attach_to_assets
from runs.api.asset_schemas import ALIAS, ASSET
from runs.api.dag_runs import run_body
from runs.api.trigger import BODY as TRIGGER_BODY
from runs.assets.by_hand import NoWriterError, SeveralWritersError, materialize, writer_of
from runs.services import DagUnavailableError, ParamsInvalidError, RunExistsError

operations = Operations("Asset")

ID = {"asset_id": scalars.integer}


def _of_dags(rows: QuerySet[Asset], dag_ids: Sequence[str]) -> QuerySet[Asset]:
    return rows.filter(pk__in=AssetReference.objects.filter(dag__in=dag_ids).values("asset"))


def _active(rows: QuerySet[Asset], wanted: bool) -> QuerySet[Asset]:
    return rows.filter(is_active=True) if wanted else rows


LIST = params(
    page_params(),
    matching("name", "name"),
    matching("uri", "uri"),
    Param("dag_ids", many=True, apply=_of_dags),
    Param("only_active", scalars.switch, True, apply=_active),
    order_param(),
)
ORDER = ordering("id", "name", "uri", "created_at", "updated_at", default=["id"])
ALIASES = params(page_params(), matching("name", "name"), order_param())
ALIAS_ORDER = ordering("id", "name", default=["id"])
MATERIALIZE = Body("MaterializeAssetBody", dict(TRIGGER_BODY.fields) | {"logical_date": Field(scalars.aware_instant)})


@operations.add("GET", "/assets", "get_assets", params=LIST)
def get_assets(call: Call) -> dict[str, Any]:
    """Return assets."""
    return list_body(assets(), call.query, params=LIST, order=ORDER, schema=ASSET, key="assets", attach=attach_to_assets)


@operations.add("GET", "/assets/{asset_id}", "get_asset", types=ID)
def get_asset(call: Call) -> dict[str, Any]:
    """Return one asset."""
    asset = asset_or_404(call.path["asset_id"])
    attach_to_assets([asset])
    return ASSET.of(asset)


@operations.add("GET", "/assets/aliases", "get_asset_aliases", params=ALIASES)
def get_asset_aliases(call: Call) -> dict[str, Any]:
    """Return aliases."""
    rows = AssetAlias.objects.all()
    return list_body(rows, call.query, params=ALIASES, order=ALIAS_ORDER, schema=ALIAS, key="asset_aliases")


@operations.add("GET", "/assets/aliases/{asset_alias_id}", "get_asset_alias", types={"asset_alias_id": scalars.integer})
def get_asset_alias(call: Call) -> dict[str, Any]:
    """Return one alias."""
    alias = AssetAlias.objects.filter(pk=call.path["asset_alias_id"]).first()
    if alias is None:
        raise NotFoundError(f"The Asset Alias with ID: `{call.path['asset_alias_id']}` was not found")
    return ALIAS.of(alias)


@operations.add("POST", "/assets/{asset_id}/materialize", "materialize_asset", role=Role.OP, types=ID)
def materialize_asset(call: Call) -> dict[str, Any]:
    """Start a run of the DAG that writes the asset."""
    asset_id = call.path["asset_id"]
    body = _materialize_body(call)
    dag = _writer_of(asset_id)
    after = {} if body["run_after"] is None else {"run_after": body["run_after"]}
    start, end = body["data_interval_start"], body["data_interval_end"]
    if start is not None and end is not None:
        after["data_interval"] = (start, end)
    try:
        with transaction.atomic():
            run = materialize(
                asset_id,
                dag,
                actor=call.user_name,
                noted=body,
                run_id=body["dag_run_id"] or None,
                logical_date=body["logical_date"],
                conf=body["conf"] or {},
                note=body["note"],
                partition_key=body["partition_key"],
                **after,
            )
    except RunExistsError as error:
        raise ConflictError(uuid.uuid4().hex[:8]) from error
    except DagUnavailableError as error:
        raise RestError(400, str(error)) from error
    except (ParamsInvalidError, ValueError) as error:
        raise RestError(400, str(error)) from error
    return run_body(run)


def _materialize_body(call: Call) -> dict[str, Any]:
    """The body may be left out, or be null."""
    raw = call.request._request.body
    try:
        is_empty = not raw or json.loads(raw) is None
    except ValueError:
        is_empty = False  # read below, with the error that it deserves
    return MATERIALIZE.read(b"{}" if is_empty else raw)


def _writer_of(asset_id: int) -> Dag:
    try:
        return writer_of(asset_id)
    except NoWriterError as error:
        raise NotFoundError(str(error)) from error
    except SeveralWritersError as error:
        raise RestError(409, str(error)) from error
