"""Decides which rows the walks meet: one DAG with something of everything, and people of each role."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client

from accounts.models import AuditLog, DagRule, User
from accounts.roles import GROUPS, Role
from accounts.tokens import token_for
from dags_app.models import Asset, AssetAlias, AssetReference, DagCode, DagLink, DagTag, DagVersion, DagWarning, ParseImportError
from runs.models import (
    AlertMute,
    AssetDelivery,
    AssetEvent,
    AssetState,
    Backfill,
    BackfillRun,
    BulkAction,
    BulkFailure,
    Callback,
    Deadline,
    HITLDetail,
    Hold,
    Pool,
    TaskInstance,
    TaskState,
    XCom,
)
from tests.factories import NOON, make_dag, make_run, make_ti

# Nothing else has this text, so that a body that holds it tells something of the DAG.
HIDDEN = "hidden_dag_1"


def fill() -> dict[str, Any]:
    """Make the DAG with everything that belongs to it; returns the parameters of paths that lead to it."""
    dag = make_dag(HIDDEN)
    DagVersion.objects.filter(dag=dag).update(code=DagCode.objects.create(pk="0" * 32, source_code=f"# {HIDDEN}"))
    run = make_run(dag, "r", logical_date=NOON)
    ti = make_ti(run, "t", state="failed", start_date=NOON, end_date=NOON, try_number=1)
    make_ti(run, "m", state="success", map_index=0)
    Pool.objects.get_or_create(pool="default_pool", defaults={"slots": 128})
    DagTag.objects.create(dag=dag, name=f"tag_{HIDDEN}")
    DagWarning.objects.create(dag=dag, warning_type=DagWarning.Kind.values[0], message="m", timestamp=NOON)
    DagLink.objects.create(dag=dag, kind="trigger", task_id="t", label="t", other_dag_id="own_dag")
    error = ParseImportError.objects.create(bundle=dag.bundle, filename=dag.relative_fileloc, timestamp=NOON, stacktrace=HIDDEN)
    audit = AuditLog.objects.create(event="x", dag_id=HIDDEN)
    callback = Callback.objects.create(kind="callback", dag_id=HIDDEN, dag_run=run, dedupe_key="1", created_at=NOON)
    backfill = _backfill(dag, run)
    bulk = _bulk_action()
    _of_run(dag, run, ti)
    asset = _asset(dag, run)
    return {
        "dag_id": HIDDEN,
        "dag_run_id": "r",
        "task_id": "t",
        "map_index": -1,
        "ti_id": ti.pk,
        "try_number": 1,
        "task_try_number": 1,
        "version_number": 1,
        "xcom_key": "k",
        "key": "k",
        "pool_name": "default_pool",
        "import_error_id": error.pk,
        "event_log_id": audit.pk,
        "callback_id": callback.pk,
        "backfill_id": backfill.pk,
        "bulk_action_id": bulk.pk,
        "asset_id": asset.pk,
        "asset_alias_id": AssetAlias.objects.get().pk,
    }


def _backfill(dag: Any, run: Any) -> Backfill:
    made = Backfill.objects.create(dag=dag, from_date=NOON, to_date=NOON, created_at=NOON, updated_at=NOON)
    BackfillRun.objects.create(backfill=made, dag_run=run, logical_date=NOON, sort_ordinal=1)
    return made


def _bulk_action() -> BulkAction:
    selection = {"filters": {"dag_id": HIDDEN}}
    names = {"kind": "clear", "target": "dag_runs", "actor": "x", "authority": "command_line", "created_at": NOON}
    made = BulkAction.objects.create(selection=selection, **names)
    BulkFailure.objects.create(action=made, dag_id=HIDDEN, run_id="r", error=HIDDEN, at=NOON)
    return made


def _of_run(dag: Any, run: Any, ti: TaskInstance) -> None:
    names = {"dag_id": HIDDEN, "run_id": "r", "task_id": "t"}
    XCom.objects.create(dag_run=run, key="k", value='"v"', timestamp=NOON, **names)
    TaskState.objects.create(dag_run=run, task_id="t", key="k", value='"v"', updated_at=NOON)
    Hold.objects.create(dag_run=run, task_id="t", held_by="x", created_at=NOON)
    Deadline.objects.create(dag_run=run, dag_id=HIDDEN, deadline_time=NOON, created_at=NOON)
    AlertMute.objects.create(dag=dag, until=NOON + timedelta(days=36500), muted_by="x")
    HITLDetail.objects.create(ti_id=ti.pk, dag_run=run, subject=HIDDEN, options=["a"], created_at=NOON)


def _asset(dag: Any, run: Any) -> Asset:
    asset = Asset.objects.create(name=f"asset_{HIDDEN}", uri=f"x://{HIDDEN}")
    alias = AssetAlias.objects.create(name=f"alias_{HIDDEN}")
    AssetReference.objects.create(dag=dag, role=AssetReference.Role.SCHEDULE, asset=asset)
    AssetReference.objects.create(dag=dag, role=AssetReference.Role.OUTLET, task_id="t", alias=alias)
    AssetReference.objects.create(dag=dag, role=AssetReference.Role.OUTLET, task_id="t", asset=asset)
    event = AssetEvent.objects.create(asset=asset, source_dag_id=HIDDEN, source_run_id="r", timestamp=NOON)
    AssetState.objects.create(asset=asset, key="k", value="1", updated_at=NOON)
    AssetDelivery.objects.create(event=event, dag=dag, asset=asset, created_at=NOON)
    return asset


def people() -> dict[str, Client]:
    """Return a client for each kind of person: nobody, somebody without a role, and one of each role."""
    clients = {"nobody": Client(raise_request_exception=False), "roleless": client_of(User.objects.create_user("roleless"))}
    for name in GROUPS:
        clients[name] = client_of(person(name.lower(), name))
    return clients


def person(name: str, group: str) -> User:
    """Make a user of one group."""
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    return user


def stranger() -> Client:
    """Return a client of somebody who may do everything on DAGs, but not on this one."""
    make_dag("own_dag")
    user = person("stranger", "Op")
    DagRule.objects.create(user=user, dag_id="own*", role=Role.OP)
    return client_of(user)


def client_of(user: User) -> Client:
    """Return a client with a signed token."""
    return Client(headers={"Authorization": f"Bearer {token_for(user, lifetime_seconds=600)}"}, raise_request_exception=False)


def ask(client: Client, method: str, path: str, body: str = "{}") -> Any:
    """Ask, and take back what the answer changed."""
    with transaction.atomic():
        answer = client.generic(method, path, body if method not in ("GET", "DELETE") else "", content_type="application/json")
        answer.whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.set_rollback(True)
    return answer
