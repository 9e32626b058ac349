"""Decides the REST operations on backfills: order, preview, list, pause, cancel."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.roles import Role
from dags_app.models import Dag
from dags_app.selectors import SpecUnreadableError
from orchestrator.kernel.clock import utcnow
from orchestrator.rest import scalars
from orchestrator.rest.auth import require
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, order_param, page_params, params
from orchestrator.rest.schemas import Schema, instant
from orchestrator.sdk.definitions.timetables import AirflowTimetableInvalid
from runs.backfills.blocked import blocked_runs
from runs.backfills.plan import SKIP, Order, PlannedRun
from runs.backfills.refusals import (
    BackfillClosedError,
    BackfillOpenError,
    BackfillRefusedError,
    BackfillTypeNotAllowedError,
)
from runs.backfills.selectors import foresee_dates, plan_of, runs_on_latest
from runs.backfills.services import backfill_cancel, backfill_create, backfill_pause
from runs.models import Backfill, BackfillRun

operations = Operations("Backfill")

BACKFILL = Schema(
    "BackfillResponse",
    "id",
    "dag_id",
    "from_date",
    "to_date",
    "dag_run_conf",
    "is_paused",
    "reprocess_behavior",
    "max_active_runs",
    "created_at",
    "completed_at",
    "updated_at",
    dag_display_name=lambda backfill: backfill.dag.dag_display_name or backfill.dag_id,
)
BODY = Body(
    "BackfillPostBody",
    {
        "dag_id": Field(scalars.text, required=True, null=False),
        "from_date": Field(scalars.instant, required=True, null=False),
        "to_date": Field(scalars.instant, required=True, null=False),
        "run_backwards": Field(scalars.switch, null=False, default=False),
        "dag_run_conf": Field(scalars.dictionary),
        "reprocess_behavior": Field(scalars.choice("failed", "completed", "none"), null=False, default="none"),
        "max_active_runs": Field(scalars.integer, null=False, default=10),
        "run_on_latest_version": Field(scalars.switch),
    },
)
LIST = params(Param("dag_id", required=True, apply=lambda rows, value: rows.filter(dag_id=value)), page_params(), order_param())
ORDER = ordering("id", default=["id"])
_ID = {"backfill_id": scalars.at_least(0)}


@operations.add("GET", "/backfills", "list_backfills", params=LIST)
def list_backfills(call: Call) -> dict[str, Any]:
    """Return the backfills of a DAG."""
    return list_body(_rows(), call.query, params=LIST, order=ORDER, schema=BACKFILL, key="backfills")


@operations.add("GET", "/backfills/{backfill_id}", "get_backfill", types=_ID)
def get_backfill(call: Call) -> dict[str, Any]:
    """Return one backfill."""
    return BACKFILL.of(_backfill(call))


@operations.add("POST", "/backfills", "create_backfill", role=Role.USER, body=BODY)
def create_backfill(call: Call) -> dict[str, Any]:
    """Order a backfill."""
    dag = _dag(call)
    with refusals():
        order = _order(call, dag)
        foresee_dates(dag, order, utcnow())
        with transaction.atomic():
            backfill = backfill_create(dag, order, user_name=call.user_name)
    return BACKFILL.of(backfill)


@operations.add("POST", "/backfills/dry_run", "create_backfill_dry_run", role=Role.USER, body=BODY)
def create_backfill_dry_run(call: Call) -> dict[str, Any]:
    """Return the runs that an order would create or run again."""
    plan = _plan(call)
    dates = [
        {
            "logical_date": instant(item.info.logical_date),
            "partition_key": item.info.partition_key,
            "partition_date": instant(item.info.partition_date),
        }
        for item in plan
        if item.action != SKIP
    ]
    return {"backfills": dates, "total_entries": len(dates)}


@operations.add("POST", "/backfills/preview", "preview_backfill", role=Role.USER, body=BODY)
def preview_backfill(call: Call) -> dict[str, Any]:
    """Return every date of an order with its present run and what will happen to it; an addition to Airflow's API."""
    plan = _plan(call)
    counts = {action: sum(item.action == action for item in plan) for action in ("create", "rerun", "skip")}
    return {"dates": [_date(item) for item in plan], "counts": counts, "total_entries": len(plan)}


def _date(item: PlannedRun) -> dict[str, Any]:
    return {
        "logical_date": instant(item.info.logical_date),
        "partition_key": item.info.partition_key,
        "partition_date": instant(item.info.partition_date),
        "dag_run_id": item.present.run_id if item.present else None,
        "state": item.present.state if item.present else None,
        "action": item.action,
        "reason": item.reason,
    }


DATES = params(page_params(), order_param())


@operations.add("GET", "/backfills/{backfill_id}/dates", "get_backfill_dates", params=DATES, types=_ID)
def get_backfill_dates(call: Call) -> dict[str, Any]:
    """Return the dates of a backfill with their runs, or why there is none, and what holds it up; an addition."""
    backfill = _backfill(call)
    rows = BackfillRun.objects.filter(backfill=backfill).select_related("dag_run")
    body = list_body(rows, call.query, params=DATES, order=_DATE_ORDER, schema=_DATE, key="dates")
    return body | {"blocked": [_blocked(item) for item in blocked_runs(backfill)] if backfill.completed_at is None else []}


_DATE_ORDER = ordering("sort_ordinal", default=["sort_ordinal"], key="sort_ordinal")
_DATE = Schema(
    "BackfillDate",
    "logical_date",
    "partition_key",
    "exception_reason",
    position="sort_ordinal",
    dag_run_id=lambda row: row.dag_run.run_id if row.dag_run else None,
    state=lambda row: row.dag_run.state if row.dag_run else None,
)


def _blocked(item: Any) -> dict[str, Any]:
    blocker = item.blocker
    return {
        "dag_run_id": item.run.run_id,
        "task_id": item.task_id,
        "reason": "depends_on_past",
        "blocked_by": {
            "dag_id": blocker.dag_id,
            "dag_run_id": blocker.run_id,
            "task_id": blocker.task_id,
            "map_index": blocker.map_index,
            "state": blocker.state,
        },
        "message": item.sentence,
    }


@operations.add("PUT", "/backfills/{backfill_id}/pause", "pause_backfill", types=_ID)
def pause_backfill(call: Call) -> dict[str, Any]:
    """Begin no further run of a backfill."""
    return _change(call, lambda backfill: backfill_pause(backfill, True, actor=call.user_name))


@operations.add("PUT", "/backfills/{backfill_id}/unpause", "unpause_backfill", types=_ID)
def unpause_backfill(call: Call) -> dict[str, Any]:
    """Let a backfill go on."""
    return _change(call, lambda backfill: backfill_pause(backfill, False, actor=call.user_name))


@operations.add("PUT", "/backfills/{backfill_id}/cancel", "cancel_backfill", types=_ID)
def cancel_backfill(call: Call) -> dict[str, Any]:
    """End a backfill."""
    return _change(call, lambda backfill: backfill_cancel(backfill, actor=call.user_name))


def _change(call: Call, change: Callable[[Backfill], Backfill]) -> dict[str, Any]:
    backfill = _backfill(call)
    require(call.request.user, Role.USER, backfill.dag_id)  # after the look, as in Airflow: a viewer learns that there is none
    try:
        with transaction.atomic():
            change(backfill)
    except BackfillClosedError as error:
        raise RestError(409, str(error)) from error
    return BACKFILL.of(_rows().get(pk=backfill.pk))


def _rows() -> QuerySet[Backfill]:
    return Backfill.objects.select_related("dag")


def _backfill(call: Call) -> Backfill:
    found = _rows().filter(pk=call.path["backfill_id"]).first()
    if found is None:
        raise NotFoundError("Backfill not found")
    return found


def _dag(call: Call) -> Dag:
    dag = Dag.objects.filter(pk=call.body["dag_id"], latest_version__isnull=False).first()
    if dag is None:
        raise NotFoundError(f"Could not find dag {call.body['dag_id']}")
    return dag


def _plan(call: Call) -> list[PlannedRun]:
    dag = _dag(call)
    with refusals():
        return plan_of(dag, _order(call, dag), utcnow())


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what is wrong with an order into Airflow's answers."""
    try:
        yield
    except BackfillOpenError as error:
        raise RestError(409, str(error)) from error
    except BackfillTypeNotAllowedError as error:
        raise RestError(400, str(error)) from error
    except (BackfillRefusedError, SpecUnreadableError, AirflowTimetableInvalid) as error:
        raise RestError(422, str(error)) from error


def _order(call: Call, dag: Dag) -> Order:
    body = call.body
    return Order(
        from_date=body["from_date"],
        to_date=body["to_date"],
        reprocess=body["reprocess_behavior"],
        run_backwards=body["run_backwards"],
        conf=body["dag_run_conf"],
        max_active_runs=body["max_active_runs"],
        run_on_latest_version=runs_on_latest(dag, body["run_on_latest_version"]),
    )
