"""Decides the REST operations that change one DAG run: its state, its note, clear it, delete it."""

from typing import Any

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from dags_app.api.queries import dag_or_404
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import params
from runs.api.change_bodies import CLEAR_RUN, PATCH_RUN, UPDATE_MASK, body_problem
from runs.api.dag_runs import run_body
from runs.api.queries import run_or_404, task_instances
from runs.api.task_instances import bodies_of
from runs.models import DagRun, TaskInstance
from runs.notes import set_run_note
from runs.rerun_versions import VersionUnavailableError, runs_on_latest
from runs.services import run_clear, run_set_state
from runs.services_clear import run_add_new_tasks
from runs.services_delete import RunUnfinishedError, run_delete
from runs.services_mark import run_stop
from runs.states import TaskInstanceState as S

operations = Operations("DagRun")

_RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}"


@operations.add("PATCH", _RUN, "patch_dag_run", role=Role.USER, params=params(UPDATE_MASK), body=PATCH_RUN)
def patch_dag_run(call: Call) -> dict[str, Any]:
    """Set the state or the note of a run."""
    run = run_or_404(call.path["dag_id"], call.path["dag_run_id"])
    given = call.body.given & set(call.query["update_mask"]) if call.query["update_mask"] else call.body.given
    with transaction.atomic():
        before = {"state": run.state, "note": run.note}
        if "note" in given:
            set_run_note(run, call.body["note"], user=call.user_name)
        if "state" in given and call.body["state"] is not None:
            run_set_state(run, call.body["state"], actor=call.user_name)
        after = {"state": run.state, "note": run.note}
        # A state that the run has already may still have changed its tasks.
        if after != before or call.body["state"] is not None:
            _audit("patch_dag_run", call, run, before=before, after=after)
    return run_body(run_or_404(run.dag_id, run.run_id))


@operations.add("POST", _RUN + "/stop", "stop_dag_run", role=Role.USER)
def stop_dag_run(call: Call) -> dict[str, Any]:
    """End a run as failed, for good: it goes on only where somebody clears or queues it; an addition (C21-b)."""
    run = run_or_404(call.path["dag_id"], call.path["dag_run_id"])
    with transaction.atomic():
        before = run.state
        if not run_stop(run, actor=call.user_name):
            raise RestError(409, f"run {run.run_id!r} of DAG {run.dag_id!r} is finished ({run.state}): nothing is left to stop")
        run = run_or_404(run.dag_id, run.run_id)
        _audit("stop_dag_run", call, run, before={"state": before}, after={"state": run.state})
    return run_body(run)


@operations.add("DELETE", _RUN, "delete_dag_run", role=Role.USER, status=204)
def delete_dag_run(call: Call) -> None:
    """Delete a run that does not run, with everything that belongs to it."""
    run = run_or_404(call.path["dag_id"], call.path["dag_run_id"])
    with transaction.atomic():
        try:
            run_delete(run)
        except RunUnfinishedError as error:
            raise RestError(409, str(error)) from error
        _audit("delete_dag_run", call, run)


@operations.add("POST", _RUN + "/clear", "clear_dag_run", role=Role.USER, body=CLEAR_RUN)
def clear_dag_run(call: Call) -> dict[str, Any]:
    """Have a run run again; a dry run lists its task instances, or the tasks that are new."""
    check_run_clear(call)
    run = run_or_404(call.path["dag_id"], call.path["dag_run_id"])
    if call.body["dry_run"]:
        found = affected(call, run)
        return {"task_instances": found, "total_entries": len(found)}
    with transaction.atomic():
        clear_run(call, run)
    return run_body(run_or_404(run.dag_id, run.run_id))


def check_run_clear(call: Call) -> None:
    """Refuse options that contradict each other."""
    if call.body["only_new"] and call.body["only_failed"]:
        raise body_problem(call, "only_new and only_failed are mutually exclusive")


def affected(call: Call, run: DagRun) -> list[dict[str, Any]]:
    """Return what a clear of a run would touch."""
    if call.body["only_new"]:
        return [{"task_id": task_id, "task_display_name": task_id} for task_id in _new_tasks(run)]
    rows = task_instances(run.dag_id, run.run_id).order_by("task_id", "map_index")
    if call.body["only_failed"]:
        rows = rows.filter(state__in=[S.FAILED, S.UPSTREAM_FAILED])
    return bodies_of(list(rows))


def clear_run(call: Call, run: DagRun) -> None:
    """Clear one run as the body asks."""
    body, actor = call.body, call.user_name
    try:
        if body["only_new"]:
            run_add_new_tasks(run, actor=actor)
        else:
            latest = runs_on_latest(run.dag, body["run_on_latest_version"])
            run_clear(run, actor=actor, only_failed=body["only_failed"], latest=latest)
    except (VersionUnavailableError, SpecUnreadableError) as error:
        raise NotFoundError(str(error)) from error
    if body["note"] is not None:
        set_run_note(run, body["note"], user=actor)
    _audit("clear_dag_run", call, run)


def _new_tasks(run: DagRun) -> list[str]:
    latest = dag_or_404(run.dag_id).latest_version_id
    if latest is None:
        raise NotFoundError(f"The Dag with ID: `{run.dag_id}` was not found")
    there = TaskInstance.objects.filter(dag_run=run).values_list("task_id", flat=True).distinct()
    return sorted({task.task_id for task in spec_of(latest).tasks} - set(there))


def _audit(event: str, call: Call, run: DagRun, **more: Any) -> None:
    ids = {"dag_id": run.dag_id, "run_id": run.run_id, "logical_date": run.logical_date}
    sent = {name: call.body[name] for name in call.body.given}
    audit_write(event, actor=call.user_name, extra=sent, **ids, **more)
