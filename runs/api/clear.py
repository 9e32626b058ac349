"""Decides the REST operation that clears task instances of a DAG, in one run or in many."""

from typing import Any

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from dags_app.api.queries import dag_or_404
from dags_app.models import Dag
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.sdk.serialization.spec import DagSpec
from runs.api.change_bodies import CLEAR_INSTANCES, body_problem
from runs.api.task_instances import collection
from runs.clear_selection import ClearRequest, chosen_instances, spec_for_run
from runs.models import DagRun
from runs.rerun_versions import VersionUnavailableError, runs_on_latest
from runs.services_clear import ClearOptions, RunningTaskError, instances_clear

operations = Operations("Task Instance")


@operations.add("POST", "/dags/{dag_id}/clearTaskInstances", "post_clear_task_instances", role=Role.USER, body=CLEAR_INSTANCES)
def post_clear_task_instances(call: Call) -> dict[str, Any]:
    """Clear task instances; a dry run (the default) only lists them."""
    check(call)
    dag = dag_or_404(call.path["dag_id"])
    run = run_of(call, dag)
    rows = chosen_instances(dag.dag_id, spec_to_read(dag, run), request_of(call, run))
    if call.body["dry_run"]:
        return collection(rows)
    options = options_of(call, dag)
    with transaction.atomic():
        try:
            rows = instances_clear(rows, options)
        except RunningTaskError as error:
            raise RestError(409, str(error)) from error
        except VersionUnavailableError as error:
            raise RestError(400, str(error)) from error
        audit(call, dag, run, len(rows))
    return collection(rows)


def check(call: Call) -> None:
    """Refuse fields that contradict each other."""
    body = call.body
    if body["only_failed"] and body["only_running"] and "only_failed" in body.given:
        raise body_problem(call, "only_failed and only_running both are set to True")
    if body["start_date"] and body["end_date"] and body["start_date"] > body["end_date"]:
        raise body_problem(call, "end_date is sooner than start_date")
    if body["dag_run_id"] and (body["start_date"] or body["end_date"]):
        raise body_problem(call, "Exactly one of dag_run_id or (start_date and end_date) must be provided")
    if body["task_ids"] == []:
        raise body_problem(call, "task_ids list should have at least 1 element.")


def run_of(call: Call, dag: Dag) -> DagRun | None:
    """Return the run that the body names. Raises ``NotFoundError``; ``RestError`` where its past is asked for and it has none."""
    run_id = call.body["dag_run_id"]
    if run_id is None:
        return None
    run = DagRun.objects.filter(dag_id=dag.dag_id, run_id=run_id).first()
    if run is None:
        raise NotFoundError(f"Dag Run id {run_id} not found in dag {dag.dag_id}")
    if (call.body["include_past"] or call.body["include_future"]) and run.logical_date is None:
        message = "Cannot use include_past or include_future with no logical_date(e.g. manually or asset-triggered)."
        raise RestError(400, message)
    return run


def spec_to_read(dag: Dag, run: DagRun | None) -> DagSpec:
    """Return the DAG by which the tasks are found: the run's version, else the newest."""
    try:
        if run is not None:
            return spec_for_run(run)
        if dag.latest_version_id is not None:
            return spec_of(dag.latest_version_id)
    except SpecUnreadableError as error:
        raise NotFoundError(str(error)) from error
    raise NotFoundError(f"The Dag with ID: `{dag.dag_id}` was not found")


def request_of(call: Call, run: DagRun | None) -> ClearRequest:
    """Return what the body asks for."""
    body = call.body
    return ClearRequest(
        run=run,
        markers=None if body["task_ids"] is None else tuple(body["task_ids"]),
        start=body["start_date"],
        end=body["end_date"],
        upstream=body["include_upstream"],
        downstream=body["include_downstream"],
        future=body["include_future"],
        past=body["include_past"],
        only_failed=body["only_failed"],
        only_running=body["only_running"],
    )


def options_of(call: Call, dag: Dag) -> ClearOptions:
    """Return how it is to be cleared."""
    body = call.body
    return ClearOptions(
        actor=call.user_name,
        reset_dag_runs=body["reset_dag_runs"],
        prevent_running=body["prevent_running_task"],
        latest=runs_on_latest(dag, body["run_on_latest_version"]),
        version_number=body.get("dag_version"),
        note=body["note"],
    )


def audit(call: Call, dag: Dag, run: DagRun | None, number: int) -> None:
    """Keep who cleared what."""
    sent = {name: call.body[name] for name in call.body.given} | {"task_instances": number}
    ids = {"dag_id": dag.dag_id, "run_id": run.run_id if run else None}
    audit_write("post_clear_task_instances", actor=call.user_name, extra=sent, **ids)
