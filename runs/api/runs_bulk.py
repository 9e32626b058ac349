"""Decides the REST operations that change many DAG runs at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.roles import Role
from accounts.services import audit_write
from dags_app.api.queries import dag_or_404
from orchestrator.rest.bodies import Values
from orchestrator.rest.bulk_bodies import bulk_body
from orchestrator.rest.errors import RestError
from orchestrator.rest.operations import Call, Operations
from runs.api.change_bodies import BULK_RUN, CLEAR_PARTITIONS, CLEAR_RUNS, body_problem
from runs.api.queries import ANY, attach_to_runs, run_or_404
from runs.api.run_changes import affected, check_run_clear, clear_run
from runs.api.schemas import RUN
from runs.models import DagRun, TaskInstance
from runs.notes import set_run_note
from runs.run_filters import in_zone_of, timetable_of
from runs.services import run_clear, run_set_state
from runs.services_delete import RunUnfinishedError, run_delete

operations = Operations("DagRun")

Key = tuple[str, str]
_NO_CREATE = "Dag Runs bulk create is not supported. Use the trigger Dag Run endpoint instead."


@operations.add(
    "PATCH", "/dags/{dag_id}/dagRuns", "bulk_dag_runs", role=Role.USER, body=bulk_body("BulkBody_BulkDAGRunBody_", BULK_RUN)
)
def bulk_dag_runs(call: Call) -> dict[str, Any]:
    """Set states and notes of runs, or delete runs; each entity answers for itself."""
    answer: dict[str, Any] = {"create": None, "update": None, "delete": None}
    for action in call.body["actions"]:
        word = action["action"]
        result = answer[word] = answer[word] or {"success": [], "errors": []}
        if word == "create":
            result["errors"].append({"error": _NO_CREATE, "status_code": 405})
            continue
        with transaction.atomic():
            _carry_out(call, action, result)
            extra = {"action": word, "runs": result["success"]}
            audit_write("bulk_dag_runs", actor=call.user_name, extra=extra, dag_id=call.path["dag_id"])
    return answer


def _carry_out(call: Call, action: Mapping[str, Any], result: dict[str, Any]) -> None:
    wanted: dict[Key, Any] = {}
    for entity in action["entities"]:
        key = _key(entity, call.path["dag_id"])
        if ANY in key:
            result["errors"].append({"error": _wildcard(entity), "status_code": 400})
        else:
            wanted[key] = entity
    found = {key: run for key in sorted(wanted) if (run := DagRun.objects.filter(dag_id=key[0], run_id=key[1]).first())}
    missing = sorted(wanted.keys() - found.keys())
    if missing and action["on"] == "fail":
        result["errors"].append({"error": f"The DagRuns with these identifiers: {missing} were not found", "status_code": 404})
        return
    for key in sorted(found, key=lambda key: found[key].pk):
        try:
            (_delete if action["action"] == "delete" else _update)(found[key], wanted[key], call.user_name)
            result["success"].append(".".join(key))
        except RunUnfinishedError as error:
            result["errors"].append({"error": str(error), "status_code": 409})


def _key(entity: Any, dag_id: str) -> Key:
    return (dag_id, entity) if isinstance(entity, str) else (entity["dag_id"] or dag_id, entity["dag_run_id"])


def _wildcard(entity: Any) -> str:
    run_id = entity if isinstance(entity, str) else entity["dag_run_id"]
    return f"When using wildcard in path, dag_id must be specified in request body for dag_run_id: {run_id}"


def _update(run: DagRun, entity: Values, actor: str) -> None:
    if entity["state"] is not None:
        run_set_state(run, entity["state"], actor=actor)
    if entity["note"] is not None:
        set_run_note(run, entity["note"], user=actor)


def _delete(run: DagRun, _entity: Any, _actor: str) -> None:
    run_delete(run)


@operations.add("POST", "/dags/{dag_id}/clearDagRuns", "clear_dag_runs", role=Role.USER, body=CLEAR_RUNS)
def clear_dag_runs(call: Call) -> dict[str, Any]:
    """Clear several runs: those named, or those of a partition or a window of partition dates."""
    check_run_clear(call)
    _check_one_selection(call, "dag_runs (non-empty)", bool(call.body["dag_runs"]))
    chosen = [run_or_404(*key) for key in _named(call)] if call.body["dag_runs"] else list(_of_partitions(call))
    if call.body["dry_run"]:
        bodies = [body for run in chosen for body in affected(call, run)]
        return {"task_instances": bodies, "total_entries": len(bodies)}
    with transaction.atomic():
        for run in sorted(chosen, key=lambda run: run.pk):
            clear_run(call, run)
    cleared = [run_or_404(run.dag_id, run.run_id) for run in chosen]
    attach_to_runs(cleared)
    nothing = dict.fromkeys(("next_cursor", "previous_cursor", "total_entries_limit"))
    return {"dag_runs": [RUN.of(run) for run in cleared], "total_entries": len(cleared), **nothing}


def _named(call: Call) -> Sequence[Key]:
    keys: dict[Key, None] = {}
    for entity in call.body["dag_runs"]:
        dag_id, run_id = entity["dag_id"], entity["dag_run_id"]
        if call.path["dag_id"] == ANY and (not dag_id or dag_id == ANY):
            raise RestError(
                400,
                f"When the URL dag_id is '~', every entry must provide a concrete dag_id (missing on dag_run_id: {run_id!r}).",
            )
        if call.path["dag_id"] not in (ANY, dag_id or call.path["dag_id"]):
            raise RestError(400, f"Entry dag_id {dag_id!r} does not match the URL dag_id {call.path['dag_id']!r}.")
        keys[dag_id or call.path["dag_id"], run_id] = None
    return list(keys)


def _check_one_selection(call: Call, name: str, is_given: bool) -> None:
    body = call.body
    start, end = body["partition_date_start"], body["partition_date_end"]
    if is_given + (body["partition_key"] is not None) + (start is not None or end is not None) != 1:
        window = "a partition date window (partition_date_start / partition_date_end)"
        raise body_problem(call, f"Exactly one of {name}, partition_key, or {window} must be provided.")
    if start is not None and end is not None and start > end:
        raise body_problem(call, "partition_date_start must be on or before partition_date_end.")


def _of_partitions(call: Call) -> QuerySet[DagRun]:
    if call.path["dag_id"] == ANY:
        raise RestError(400, "Partition selectors require a concrete dag_id; '~' is not supported.")
    dag = dag_or_404(call.path["dag_id"])
    rows = DagRun.objects.filter(dag=dag).order_by("partition_date", "run_id")
    if call.body["partition_key"] is not None:
        return rows.filter(partition_key=call.body["partition_key"])
    timetable, rows = timetable_of(dag), rows.filter(partition_date__isnull=False)
    if (start := call.body["partition_date_start"]) is not None:
        rows = rows.filter(partition_date__gte=in_zone_of(timetable, start))
    if (end := call.body["partition_date_end"]) is not None:
        rows = rows.filter(partition_date__lte=in_zone_of(timetable, end))
    return rows


@operations.add("POST", "/dags/{dag_id}/clearPartitions", "clear_dag_run_partitions", role=Role.USER, body=CLEAR_PARTITIONS)
def clear_dag_run_partitions(call: Call) -> dict[str, Any]:
    """Take the partition off runs, and clear their tasks where asked."""
    body = call.body
    _check_one_selection(call, "run_id", body["run_id"] is not None)
    dag = dag_or_404(call.path["dag_id"])
    rows = DagRun.objects.filter(dag=dag, run_id=body["run_id"]) if body["run_id"] is not None else _of_partitions(call)
    chosen = [run for run in rows if _has_partition(run) or body["clear_task_instances"]]
    numbers = {"dag_runs_cleared": sum(map(_has_partition, chosen)), "dry_run": body["dry_run"]}
    instances = TaskInstance.objects.filter(dag_run__in=chosen).count() if body["clear_task_instances"] else 0
    if not body["dry_run"]:
        with transaction.atomic():
            for run in sorted(chosen, key=lambda run: run.pk):
                DagRun.objects.filter(pk=run.pk).update(partition_key=None, partition_date=None)
                if body["clear_task_instances"]:
                    run_clear(run, actor=call.user_name)
            audit_write("clear_dag_run_partitions", actor=call.user_name, extra=dict(body), dag_id=dag.dag_id)
    return numbers | {"task_instances_cleared": instances}


def _has_partition(run: DagRun) -> bool:
    return run.partition_key is not None or run.partition_date is not None
