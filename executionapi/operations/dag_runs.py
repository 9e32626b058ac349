"""Decides how workers trigger, clear and read DAG runs, and read DAGs."""

from __future__ import annotations

from typing import Any, Final

from dags_app.models import Dag
from executionapi.calls import Call, Operation, one_by_one
from executionapi.documents import dag_run_document, moment, run_documents
from executionapi.fields import Field, boolean, instant, instants, mapping, one_of, optional, read_object, read_query, text, texts
from executionapi.replies import Reply, not_found, refusal
from executionapi.versions import dag_run_for
from runs.models import DagRun, TaskInstance
from runs.services import DagUnavailableError, ParamsInvalidError, RunExistsError, run_clear, run_trigger
from runs.states import DagRunState, DagRunType

_TRIGGER: Final = (
    Field("logical_date", optional(instant), required=False),
    Field("run_after", optional(instant), required=False),
    Field("conf", mapping, required=False),
    Field("reset_dag_run", boolean, required=False, default=False),
    Field("partition_key", optional(text), required=False),
    Field("note", optional(text), required=False),
)
_STATE = Field("state", one_of(*(state.value for state in DagRunState)), required=False)
_PREVIOUS: Final = (Field("dag_id", text), Field("logical_date", instant), _STATE)
_COUNT: Final = (
    Field("dag_id", text),
    Field("logical_dates", instants, required=False),
    Field("run_ids", texts, required=False),
    Field("states", texts, required=False),
)


def read_trigger(call: Call) -> dict[str, Any]:
    """What a new run shall be."""
    return read_object(call.body, _TRIGGER)


def trigger(call: Call) -> Reply:
    """Create a run for a worker, in the name of who triggered the worker's own run."""
    dag, wanted, run_id = _dag(call), call.value, call.args["run_id"]
    parent = TaskInstance.objects.filter(pk=call.ti_id).values_list("dag_run__triggering_user_name", flat=True).first()
    try:
        run_trigger(
            dag=dag,
            run_id=run_id,
            run_type=DagRunType.OPERATOR_TRIGGERED,
            logical_date=wanted["logical_date"],
            run_after=wanted["run_after"],
            conf=wanted["conf"] or {},
            note=wanted["note"],
            triggered_by="operator",
            user_name=parent,
            partition_key=wanted["partition_key"],
        )
    except RunExistsError:
        message = f"Dag '{dag.dag_id}' has a run with run_id '{run_id}' or with its logical date already"
        raise refusal(409, "already_exists", message) from None
    except DagUnavailableError as error:
        raise refusal(400, "denied_run_type", str(error)) from None
    except (ParamsInvalidError, ValueError) as error:
        raise refusal(400, "value_error", str(error)) from None
    return Reply(204)


def clear(call: Call) -> Reply:
    """Let all tasks of a run run again."""
    _dag(call)
    run_clear(_run(call), actor=call.subject)
    return Reply(204)


def _dag(call: Call) -> Dag:
    dag_id = call.args["dag_id"]
    dag = Dag.objects.active().filter(pk=dag_id).first()
    if dag is None:
        raise not_found(f"Dag with dag_id: '{dag_id}' not found")
    if dag.has_import_errors:
        raise refusal(400, "import_errors", f"The file of Dag '{dag_id}' has import errors; mend it, then trigger again")
    return dag


def _run(call: Call) -> DagRun:
    dag_id, run_id = call.args["dag_id"], call.args["run_id"]
    run = DagRun.objects.filter(dag_id=dag_id, run_id=run_id).first()
    if run is None:
        raise not_found(f"Dag run with dag_id '{dag_id}' and run_id '{run_id}' was not found")
    return run


def detail(call: Call) -> Reply:
    """One run."""
    run = _run(call)
    return Reply(200, run_documents([run])[run.pk])


def state(call: Call) -> Reply:
    """The state of one run."""
    return Reply(200, {"state": _run(call).state})


def count(call: Call) -> Reply:
    """How many runs fit."""
    wanted = read_query(call.query, _COUNT)
    rows = DagRun.objects.filter(dag_id=wanted["dag_id"])
    if wanted["logical_dates"]:
        rows = rows.filter(logical_date__in=wanted["logical_dates"])
    if wanted["run_ids"]:
        rows = rows.filter(run_id__in=wanted["run_ids"])
    if wanted["states"]:
        rows = rows.filter(state__in=wanted["states"])
    return Reply(200, rows.count())


def previous(call: Call) -> Reply:
    """The last run before a logical date, perhaps of one state; null where there is none."""
    query = call.query | {"dag_id": [call.args["dag_id"]]} if "dag_id" in call.args else call.query
    wanted = read_query(query, _PREVIOUS)
    rows = DagRun.objects.filter(dag_id=wanted["dag_id"], logical_date__lt=wanted["logical_date"])
    if wanted["state"]:
        rows = rows.filter(state=wanted["state"])
    run = rows.order_by("-logical_date").first()
    return Reply(200, None if run is None else dag_run_document(run))


def dag(call: Call) -> Reply:
    """What is known of a DAG."""
    found = Dag.objects.filter(pk=call.args["dag_id"]).prefetch_related("tags").first()
    if found is None:
        raise not_found(f"The Dag with dag_id: `{call.args['dag_id']}` was not found")
    document = {
        "dag_id": found.dag_id,
        "is_paused": found.is_paused,
        "bundle_name": found.bundle_id,
        "bundle_version": found.bundle_version,
        "relative_fileloc": found.relative_fileloc,
        "owners": found.owners,
        "tags": sorted(tag.name for tag in found.tags.all()),
        "next_dagrun": moment(found.next_dagrun_logical_date),
    }
    return Reply(200, document)


_RUN_PATH = "dag-runs/{dag_id}/{run_id}"

OPERATIONS: Final = (
    Operation("GET", "dag-runs/count", one_by_one(count)),
    Operation("GET", "dag-runs/previous", one_by_one(previous), since="2026-04-06", shape=dag_run_for),
    Operation(
        "GET", "dag-runs/{dag_id}/previous", one_by_one(previous), since="2025-08-10", until="2026-04-06", shape=dag_run_for
    ),
    Operation("GET", _RUN_PATH, one_by_one(detail), since="2026-04-06", shape=dag_run_for),
    Operation("POST", _RUN_PATH, one_by_one(trigger), read_trigger, writes=True),
    Operation("POST", f"{_RUN_PATH}/clear", one_by_one(clear), writes=True),
    Operation("GET", f"{_RUN_PATH}/state", one_by_one(state)),
    Operation("GET", "dags/{dag_id}", one_by_one(dag), since="2026-04-06"),
)
