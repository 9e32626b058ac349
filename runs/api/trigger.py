"""Decides the REST operation that starts a run: what it takes and how each refusal looks."""

import uuid
from typing import Any

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from dags_app.models import Dag
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import ConflictError, InvalidError, NotFoundError, ProblemError, RestError, database_refusal
from orchestrator.rest.operations import Call, Operations
from runs.api.dag_runs import run_body
from runs.run_ids import LONGEST_RUN_ID, run_id_problem
from runs.services import DagUnavailableError, ParamsInvalidError, RunExistsError, run_trigger

operations = Operations("DagRun")

BODY = Body(
    "TriggerDAGRunPostBody",
    {
        "dag_run_id": Field(scalars.text),
        "data_interval_start": Field(scalars.aware_instant),
        "data_interval_end": Field(scalars.aware_instant),
        "logical_date": Field(scalars.aware_instant, required=True),
        "run_after": Field(scalars.aware_instant),
        "conf": Field(scalars.dictionary),
        "note": Field(scalars.text),
        "partition_key": Field(scalars.text),
    },
)


@operations.add("POST", "/dags/{dag_id}/dagRuns", "trigger_dag_run", role=Role.USER, body=BODY)
def trigger_dag_run(call: Call) -> dict[str, Any]:
    """Start a run."""
    body = call.body
    _check_interval(call)
    dag = _dag(call.path["dag_id"])
    run_id = body["dag_run_id"] or None
    _check_run_id(run_id)
    try:
        with transaction.atomic():
            run = run_trigger(
                dag=dag,
                run_id=run_id,
                logical_date=body["logical_date"],
                run_after=body["run_after"],
                conf=body["conf"] or {},
                note=body["note"] or None,
                partition_key=body["partition_key"],
                triggered_by=call.door,
                user_name=call.user_name,
                **_interval(body),
            )
            ids = {"dag_id": dag.dag_id, "run_id": run.run_id, "logical_date": run.logical_date}
            audit_write("trigger_dag_run", actor=call.user_name, extra=body, **ids)
    except RunExistsError as error:
        raise ConflictError(uuid.uuid4().hex[:8]) from error
    except DagUnavailableError as error:
        raise RestError(400, str(error)) from error
    except (ParamsInvalidError, ValueError) as error:
        raise RestError(400, str(error)) from error
    return run_body(run)


def _dag(dag_id: str) -> Dag:
    dag = Dag.objects.filter(pk=dag_id).first()
    if dag is None:
        raise NotFoundError(f"Dag with dag_id: '{dag_id}' not found")
    return dag


def _interval(body: Any) -> dict[str, Any]:
    """Return the interval that is asked for; a run without a logical date has none, as in Airflow."""
    start, end = body["data_interval_start"], body["data_interval_end"]
    return {"data_interval": (start, end)} if start is not None and body["logical_date"] is not None else {}


def _check_interval(call: Call) -> None:
    if (call.body["data_interval_start"] is None) != (call.body["data_interval_end"] is None):
        message = "Value error, Either both data_interval_start and data_interval_end must be provided or both must be None"
        sent = {name: call.body[name] for name in call.body.given}
        raise InvalidError([ProblemError("value_error", message, {"error": {}}).at(["body"], sent)])


def _check_run_id(run_id: str | None) -> None:
    if run_id is None:
        return
    if problem := run_id_problem(run_id):
        raise RestError(400, problem)
    if len(run_id) > LONGEST_RUN_ID:
        raise RestError(422, database_refusal("Value rejected by database", uuid.uuid4().hex[:8]))
