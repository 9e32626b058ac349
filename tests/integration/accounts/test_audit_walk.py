"""Every operation that changes something leaves a row with actor and request id, and one that changes nothing leaves none (C30-d)."""

import json
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import AuditLog, User
from accounts.named_tokens import token_create
from accounts.roles import Role
from dags_app.models import Dag, DagFavorite
from orchestrator.rest.operations import Operation
from runs.models import Backfill, DagRun, Hold, Pool
from tests.integration.accounts.test_role_walk import OPERATIONS, _path, _with_needs
from tests.integration.accounts.world import HIDDEN, client_of, fill, person
from vault.models import Connection, Variable

pytestmark = pytest.mark.django_db

UNSAFE = [operation for operation in OPERATIONS if operation.method != "GET"]
DAY = "2026-01-05T12:00:00Z"
CONNECTION = {"connection_id": "c", "conn_type": "http", "host": "h"}
VARIABLE = {"key": "v", "value": "new"}
RUN = {"dag_id": HIDDEN, "dag_run_id": "r"}


def _bulk(action: str, *entities: Any) -> dict[str, Any]:
    return {"actions": [{"action": action, "entities": list(entities)}]}


BODIES: dict[str, Any] = {
    "patch_dags": {"is_paused": True},
    "patch_dag": {"is_paused": True},
    "trigger_dag_run": {"logical_date": None},
    "create_xcom_entry": {"key": "new", "value": 1},
    "update_xcom_entry": {"value": 2},
    "put_alert_mute": {"until": "2999-01-01T00:00:00Z"},
    "patch_dag_run": {"note": "n"},
    "clear_dag_run": {"dry_run": False},
    "bulk_dag_runs": _bulk("update", {**RUN, "note": "n"}),
    "clear_dag_runs": {"dry_run": False, "dag_runs": [RUN]},
    "clear_dag_run_partitions": {"dry_run": False, "run_id": "r", "clear_task_instances": True},
    "post_clear_task_instances": {"dry_run": False, "dag_run_id": "r"},
    "clear_anywhere": {"dry_run": False, "dag_run_id": "r"},
    "patch_task_instance": {"note": "n"},
    "patch_task_instance_by_map_index": {"new_state": "success"},
    "bulk_task_instances": _bulk("update", {"task_id": "t", "map_index": -1, "note": "n"}),
    "post_pool": {"name": "p", "slots": 1},
    "patch_pool": {"slots": 7},
    "bulk_pools": _bulk("create", {"name": "p", "slots": 1}),
    "post_connection": CONNECTION,
    "patch_connection": {**CONNECTION, "connection_id": "old"},
    "bulk_connections": _bulk("create", CONNECTION),
    "post_variable": VARIABLE,
    "patch_variable": {**VARIABLE, "key": "old"},
    "bulk_variables": _bulk("create", VARIABLE),
    "post_api_token": {"name": "ci"},
    "post_password": {"old_password": "a-long-password", "new_password": "another-word-0"},
    "create_asset_event": {"asset_id": None},
    "create_bulk_action": {"target": "dag_runs", "kind": "stop", "filters": {"dag_id": HIDDEN}, "dry_run": False},
    "set_task_state_store": {"value": 1},
    "patch_task_state_store": {"value": 1},
    "set_asset_state_store": {"value": 1},
}
# They read, whatever their method.
READS = {
    "create_backfill_dry_run",
    "preview_backfill",
    "preview_schedule",
    "patch_task_instance_dry_run",
    "patch_task_instance_dry_run_by_map_index",
    "patch_task_group_instances_dry_run",
    "get_list_dag_runs_batch",
    "get_task_instances_batch",
}
# They need a timetable, a waiting retry, a question, a group, a file's token, a worker; their own tests look for the row.
ELSEWHERE = {
    "create_backfill",
    "retry_now",
    "give_up_retry",
    "update_hitl_detail",
    "patch_task_group_instances",
    "reparse_dag_file",
    "test_connection",
    "enqueue_connection_test",
}


def _prepare(names: dict[str, Any]) -> dict[str, Any]:
    """Bring about what single operations need besides the world; returns the names for the paths."""
    boss = User.objects.get(username="boss")
    boss.set_password("a-long-password")
    boss.save(update_fields=["password"])
    Pool.objects.create(pool="old", slots=1)
    Connection.objects.create(conn_id="old", conn_type="http")
    Variable.objects.create(key="old", val="1")
    token, _ = token_create(boss, "old", Role.USER, None)
    return {**names, "pool_name": "old", "connection_id": "old", "variable_key": "old", "token_id": token.pk}


def _bring_about(name: str) -> None:
    if name == "unpause_backfill":
        Backfill.objects.update(is_paused=True)
    elif name == "unpause_dag":
        Dag.objects.update(is_paused=True)
    elif name == "unfavorite_dag":
        DagFavorite.objects.create(dag_id=HIDDEN, user_name="boss")
    elif name in ("delete_dag_run", "clear_dag_run", "clear_dag_runs"):
        DagRun.objects.update(state="success")
    elif name == "release_dag_run":
        Hold.objects.update(task_id="")


def _body(operation: Operation, names: dict[str, Any]) -> str:
    body = BODIES.get(operation.operation_id, {})
    body = {"asset_id": names["asset_id"]} if operation.operation_id == "create_asset_event" else body
    return json.dumps(body) if operation.body else ""


def _asked(operation: Operation, client: Client, names: dict[str, Any]) -> tuple[int, list[AuditLog], bytes]:
    """Ask, and take everything back; returns the status and the rows written."""
    last = AuditLog.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    path = _with_needs(operation, _path(operation, names)) + ("?dag_id_pattern=~" if operation.path == "/dags" else "")
    headers = {"X-Request-ID": f"walk-{operation.operation_id}"[:64]}
    with transaction.atomic():
        _bring_about(operation.operation_id)
        body = _body(operation, names)
        answer = client.generic(operation.method, path, body, content_type="application/json", headers=headers)
        rows = list(AuditLog.objects.filter(pk__gt=last))
        transaction.set_rollback(True)
    return answer.status_code, rows, b"" if answer.streaming else answer.content


def test_each_change_leaves_a_row_with_actor_and_request_id() -> None:
    names = fill()
    client = client_of(person("boss", "Admin"))
    names = _prepare(names)
    wrong = []
    for operation in UNSAFE:
        if operation.operation_id in READS | ELSEWHERE:
            continue
        status, rows, text = _asked(operation, client, names)
        told = {(row.owner, row.request_id) for row in rows}
        if not 200 <= status < 300 or told != {("boss", f"walk-{operation.operation_id}"[:64])}:
            wrong.append((operation.operation_id, status, told, text[:200]))
    assert wrong == []


def test_what_only_reads_leaves_no_row() -> None:
    names = fill()
    client = client_of(person("boss", "Admin"))
    for operation in OPERATIONS:
        if operation.method == "GET" or operation.operation_id in READS:
            _, rows, _text = _asked(operation, client, names)
            assert rows == [], operation.operation_id


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/api/v2/dags/{dag_id}", {"is_paused": False}),
        ("PATCH", "/api/v2/pools/old", {"slots": 1}),
        ("PATCH", "/api/v2/dags/{dag_id}/dagRuns/r", {}),
        ("PATCH", "/api/v2/dags/{dag_id}/dagRuns/r/taskInstances/t", {}),
        ("DELETE", "/api/v2/assets/{asset_id}/state-store/none", None),
        ("DELETE", "/api/v2/dags/{dag_id}/dagRuns/r/taskInstances/t/state-store/none", None),
        ("PUT", "/api/v2/backfills/{backfill_id}/unpause", None),
        ("PATCH", "/api/v2/dags/{dag_id}", {"is_paused": "nonsense"}),
    ],
)
def test_what_changes_nothing_leaves_no_row(method: str, path: str, body: Any) -> None:
    names = fill()
    Pool.objects.create(pool="old", slots=1)
    before = AuditLog.objects.count()
    client = client_of(person("boss", "Admin"))
    text = json.dumps(body) if body is not None else ""
    assert client.generic(method, path.format(**names), text, content_type="application/json").status_code < 500
    assert AuditLog.objects.count() == before


def test_the_reason_is_taken_from_the_header_or_the_note() -> None:
    fill()
    client = client_of(person("boss", "Admin"))
    run = f"/api/v2/dags/{HIDDEN}/dagRuns/r"
    client.patch(run, json.dumps({"note": "wrong input"}), content_type="application/json")
    assert AuditLog.objects.latest("pk").reason == "wrong input"
    headers = {"X-Audit-Reason": "ticket 7"}
    client.patch(run, json.dumps({"note": "again"}), content_type="application/json", headers=headers)
    row = AuditLog.objects.latest("pk")
    assert (row.reason, row.before, row.after) == (
        "ticket 7",
        {"state": "running", "note": "wrong input"},
        {"state": "running", "note": "again"},
    )
