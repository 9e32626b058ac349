"""Decides our own REST operation that clears with a choice of version and across DAGs, with a preview (C20-d, C20-e, C21-d)."""

from typing import Any

from django.db import transaction

from accounts.roles import Role
from dags_app.api.queries import dag_or_404
from dags_app.selectors import SpecUnreadableError
from orchestrator.rest.errors import RestError
from orchestrator.rest.operations import Call, Operations
from runs.api.change_bodies import CLEAR_ANYTHING
from runs.api.clear import audit, check, options_of, request_of, run_of, spec_to_read
from runs.api.queries import attach_to_task_instances
from runs.api.schemas import TASK_INSTANCE
from runs.clear_everywhere import foreseen_of, reached_by, reached_clear
from runs.clear_markers import MarkerError, Reached, RecursionDepthError
from runs.rerun_versions import VersionUnavailableError
from runs.services_clear import ClearOptions, RunningTaskError

operations = Operations("Clear")

_NO = (MarkerError, RecursionDepthError, VersionUnavailableError, SpecUnreadableError)


@operations.add("POST", "/dags/{dag_id}/clear", "clear_anywhere", role=Role.USER, body=CLEAR_ANYTHING)
def clear_anywhere(call: Call) -> dict[str, Any]:
    """Clear task instances, with ``recursive`` also those of other DAGs; a dry run (the default) previews it."""
    check(call)
    dag = dag_or_404(call.path["dag_id"])
    run = run_of(call, dag)
    request = request_of(call, run)
    try:
        reached = reached_by(dag.dag_id, spec_to_read(dag, run), request, recursive=call.body["recursive"])
        options = options_of(call, dag)
        attach_to_task_instances([row for item in reached for row in item.rows])
        runs = [_run_body(item, options, dag.dag_id) for item in reached]
        if not call.body["dry_run"]:
            with transaction.atomic():
                reached_clear(reached, options, dag.dag_id)
                audit(call, dag, run, sum(len(item.rows) for item in reached))
    except RunningTaskError as error:
        raise RestError(409, str(error)) from error
    except _NO as error:
        raise RestError(400, str(error)) from error
    return {"runs": runs, "total_entries": sum(len(item.rows) for item in reached), "dry_run": call.body["dry_run"]}


def _run_body(item: Reached, options: ClearOptions, dag_id: str) -> dict[str, Any]:
    change, by = foreseen_of(item, options, dag_id), item.by
    return {
        "dag_id": item.run.dag_id,
        "dag_run_id": item.run.run_id,
        "dag_version": change.version.version_number,
        "new_tasks": list(change.new_tasks),
        "removed_tasks": list(change.removed_tasks),
        "reached_by": {"dag_id": by.dag_id, "dag_run_id": by.run_id, "task_id": by.task_id} if by else None,
        "task_instances": [TASK_INSTANCE.of(row) for row in item.rows],
    }
