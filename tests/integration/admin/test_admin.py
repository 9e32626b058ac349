"""The admin: every model has a list, a page and a search; nothing of the platform can be edited; secrets stay inside."""

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin_rows import ReadOnlyAdmin
from accounts.models import AuditLog, DagRule, User
from dags_app.models import Dag
from orchestrator.config import conf
from runs.models import Backfill, DagRun, Pool, StateChange, TaskInstance, XCom
from tests.factories import NOON, make_dag, make_lease, make_run, make_ti
from vault.models import Connection, Variable

OURS = ("accounts", "vault", "dags_app", "runs", "processes")
MODELS = [model for name in OURS for model in apps.get_app_config(name).get_models()]
EDITABLE = {"User", "Connection", "Variable", "Pool", "DagRule"}


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def _populate(number: int) -> None:
    dag = make_dag(f"d{number}")
    dag.tags.create(name="x")
    run = make_run(dag, run_after=NOON + timedelta(minutes=number))
    ti = make_ti(run)
    make_lease(ti)
    XCom.objects.create(dag_run=run, dag_id=dag.pk, run_id="r", task_id="t", key="k", value='{"a": 1}', timestamp=NOON)
    StateChange.objects.create(dag_run=run, task_id="t", to_state="queued", at=NOON)
    AuditLog.objects.create(event="paused", dag_id=dag.pk, extra='{"a": 1}')
    Connection.objects.create(
        conn_id=f"c{number}", conn_type="http", password="hidden-password", extra='{"api_key": "hidden-extra"}'
    )
    Variable.objects.create(key=f"v{number}_token", val="hidden-value")


def _url(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_has_a_list_a_search_and_a_page(client: Client, model: Any) -> None:
    _populate(1)
    assert model in admin.site._registry
    assert client.get(_url(model, "changelist")).status_code == 200
    assert client.get(_url(model, "changelist") + "?q=d1").status_code == 200
    row = model.objects.first()
    if row is not None:
        answer = client.get(_url(model, "change", row.pk))
        assert answer.status_code == 200
        assert b"hidden-" not in answer.content


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_list_asks_the_same_number_of_queries_for_one_row_and_for_many(client: Client, model: Any) -> None:
    _populate(1)
    client.get(_url(model, "changelist"))
    with CaptureQueriesContext(connection) as one:
        client.get(_url(model, "changelist"))
    for number in range(2, 9):
        _populate(number)
    with CaptureQueriesContext(connection) as many:
        client.get(_url(model, "changelist"))
    assert len(many) <= len(one) + 1  # a date hierarchy asks once more when there is more than one day


@pytest.mark.parametrize("model", [m for m in MODELS if m.__name__ not in EDITABLE], ids=lambda model: model.__name__)
def test_rows_of_the_platform_cannot_be_changed_by_hand(client: Client, model: Any) -> None:
    _populate(1)
    assert client.get(_url(model, "add")).status_code == 403
    row = model.objects.first()
    if row is not None:
        assert client.post(_url(model, "change", row.pk), {"state": "success"}).status_code == 403
        assert client.post(_url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert set(TaskInstance.objects.values_list("state", flat=True)) == {"queued"}


def test_a_secret_goes_in_and_what_is_left_alone_is_kept(client: Client) -> None:
    """C29: an empty password and a shown ``***`` keep what is stored; the audit log has names and no secrets (C30-d)."""
    _populate(1)
    row = Connection.objects.get(conn_id="c1")
    url = _url(Connection, "change", row.pk)
    kept = {"conn_id": "c1", "conn_type": "http", "password": "", "extra": '{"api_key": "***"}'}
    assert client.post(url, kept).status_code == 302
    assert not AuditLog.objects.filter(event="patch_connection").exists()
    assert client.post(url, kept | {"conn_type": "https", "host": "h", "extra": '{"api_key": "***", "a": 1}'}).status_code == 302
    row.refresh_from_db()
    assert (row.conn_type, row.get_password(), row.get_extra()) == (
        "https", "hidden-password", '{"api_key": "hidden-extra", "a": 1}',
    )  # fmt: skip
    client.post(url, kept | {"conn_type": "https", "host": "h", "password": "hidden-newer", "extra": ""})
    row.refresh_from_db()
    assert (row.get_password(), row.get_extra()) == ("hidden-newer", None)
    first, second = AuditLog.objects.filter(event="patch_connection", owner="admin").order_by("pk")
    assert first.after == {"conn_type": "https", "host": "h", "extra": "***"}
    assert second.after == {"password": "***", "extra": "***"}
    client.post(url, kept | {"conn_type": "https", "forget_password": "on", "extra": ""})
    row.refresh_from_db()
    assert row.get_password() is None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"extra": "[1]"}, "A JSON object is needed"),
        ({"extra": "{"}, "This is no JSON"),
        ({"conn_id": "a b"}, "1 to 200 letters, digits"),
        ({"port": "70000"}, "less than or equal to 65535"),
    ],
)
def test_a_connection_that_cannot_be_is_refused(client: Client, wrong: dict[str, str], told: str) -> None:
    answer = client.post(_url(Connection, "add"), {"conn_id": "c", "conn_type": "http", "extra": ""} | wrong)
    assert (answer.status_code, told in answer.content.decode()) == (200, True)
    assert not Connection.objects.exists()


def test_an_unknown_type_is_kept_with_a_hint(client: Client) -> None:
    answer = client.post(_url(Connection, "add"), {"conn_id": "c", "conn_type": "postgrs", "extra": ""}, follow=True)
    assert "Did you mean" in answer.content.decode()
    assert Connection.objects.get().conn_type == "postgrs"


def test_the_form_asks_what_a_type_looks_like(client: Client) -> None:
    look = client.get("/admin/vault/connection/type/?name=kubernetes").json()
    assert "apache-airflow-providers-cncf-kubernetes" in look["note"]
    assert look["standard"]["host"]["hidden"] is True
    fields = {field["name"]: field for field in look["fields"]}
    assert (fields["kube_config"]["secret"], fields["namespace"]["secret"]) == (True, False)
    assert "No known provider" in client.get("/admin/vault/connection/type/?name=nope").json()["note"]


def test_a_variable_needs_a_value_and_keeps_its_secrets(client: Client) -> None:
    assert client.post(_url(Variable, "add"), {"key": "k", "val": ""}).status_code == 200
    assert client.post(_url(Variable, "add"), {"key": "k", "val": '{"token": "hidden-1", "a": 1}'}).status_code == 302
    row = Variable.objects.get(key="k")
    page = client.get(_url(Variable, "change", row.pk)).content.decode()
    assert "hidden-1" not in page and "&quot;a&quot;: 1" in page
    client.post(_url(Variable, "change", row.pk), {"key": "k", "val": '{"token": "***", "a": 2}', "description": "new"})
    row.refresh_from_db()
    assert (json.loads(row.get_val()), row.description) == ({"token": "hidden-1", "a": 2}, "new")
    assert AuditLog.objects.get(event="patch_variable").after == {"description": "new", "val": "***"}


def test_what_no_key_opens_stays_until_it_is_entered_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """C29-b: shown as undecryptable, re-enterable, and not lost by saving something else."""
    monkeypatch.setitem(conf._values, ("core", "fernet_key"), Fernet.generate_key().decode())
    _populate(1)
    row, variable = Connection.objects.get(), Variable.objects.get()
    before = (str(row.password), str(row.extra), str(variable.val))
    monkeypatch.setitem(conf._values, ("core", "fernet_key"), Fernet.generate_key().decode())
    page = client.get(_url(Connection, "change", row.pk)).content.decode()
    assert page.count("cannot be decrypted") == 2
    client.post(_url(Connection, "change", row.pk), {"conn_id": "c1", "conn_type": "ftp", "password": "", "extra": ""})
    client.post(_url(Variable, "change", variable.pk), {"key": variable.key, "val": "", "description": "new"})
    row, variable = Connection.objects.get(), Variable.objects.get()
    assert (row.conn_type, variable.description) == ("ftp", "new")
    assert (str(row.password), str(row.extra), str(variable.val)) == before
    client.post(_url(Connection, "change", row.pk), {"conn_id": "c1", "conn_type": "ftp", "password": "n", "extra": '{"a": 1}'})
    row.refresh_from_db()
    assert (row.get_password(), row.get_extra()) == ("n", '{"a": 1}')


@pytest.mark.parametrize(("model", "shown"), [(Connection, "api_key"), (Variable, "v1_token")], ids=["connection", "variable"])
def test_who_may_only_look_sees_no_stored_secret_and_no_ciphertext(db: None, model: Any, shown: str) -> None:
    _populate(1)
    looker = User.objects.create_user("looker", password="x", is_staff=True)
    looker.user_permissions.add(*Permission.objects.filter(codename__in=("view_connection", "view_variable")))
    client = Client()
    client.force_login(looker)
    page = client.get(_url(model, "change", model.objects.get().pk)).content.decode()
    assert shown in page and "***" in page and "hidden-" not in page
    assert client.post(_url(model, "change", model.objects.get().pk), {}).status_code == 403


def test_looking_at_dags_does_not_switch_them(db: None) -> None:
    """C30: an action in the admin needs the right to change what it changes."""
    dag = make_dag("d", is_paused=False)
    for name, group, switched in (("vic", "Viewer", False), ("ulf", "User", True)):
        user = User.objects.create_user(name, is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        client.post(_url(Dag, "changelist"), {"action": "pause", "_selected_action": [dag.pk]})
        assert Dag.objects.get().is_paused is switched
    assert AuditLog.objects.get().owner == "ulf"


def test_the_default_pool_stays(client: Client) -> None:
    default, _ = Pool.objects.get_or_create(pool="default_pool")
    other = Pool.objects.create(pool="other", slots=1)
    assert client.post(_url(Pool, "delete", default.pk), {"post": "yes"}).status_code == 403
    assert client.post(_url(Pool, "delete", other.pk), {"post": "yes"}).status_code == 302
    chosen = {"action": "delete_selected", "_selected_action": [default.pk], "post": "yes"}
    client.post(_url(Pool, "changelist"), chosen)
    assert list(Pool.objects.values_list("pool", flat=True)) == ["default_pool"]
    assert [row.extra for row in AuditLog.objects.all()] == [f'{{"id": {other.pk}, "name": "other"}}']


def test_runs_and_backfills_change_by_services_with_a_row_each_and_only_for_who_may(client: Client) -> None:
    """C30: states are set by transitions, also from the admin; a viewer has no such actions."""
    dag = make_dag("d")
    run = make_run(dag, "r", state="running")
    ti = make_ti(run, "t", state="running")
    backfill = Backfill.objects.create(dag=dag, from_date=NOON, to_date=NOON, created_at=NOON, updated_at=NOON, max_active_runs=1)
    viewer = User.objects.create_user("vic", is_staff=True)
    viewer.groups.add(Group.objects.get(name="Viewer"))
    looking = Client()
    looking.force_login(viewer)
    orders = [
        (DagRun, "mark_failed", run),
        (Backfill, "pause", backfill),
        (Backfill, "cancel", backfill),
        (Backfill, "pause", backfill),
    ]
    for who, done in ((looking, False), (client, True)):
        for model, action, row in orders:
            who.post(_url(model, "changelist"), {"action": action, "_selected_action": [row.pk]})
        run.refresh_from_db()
        backfill.refresh_from_db()
        assert (run.state == "failed", backfill.completed_at is not None) == (done, done)
    ti.refresh_from_db()
    assert ti.state == "failed"
    assert StateChange.objects.filter(dag_run=run, to_state="failed", actor__contains="admin").exists()
    assert list(AuditLog.objects.order_by("pk").values_list("event", "owner")) == [
        ("patch_dag_run", "admin"), ("pause_backfill", "admin"), ("cancel_backfill", "admin"),
    ]  # fmt: skip
    client.post(_url(DagRun, "changelist"), {"action": "clear", "_selected_action": [run.pk]})
    run.refresh_from_db()
    assert run.state == "queued"


CHANGES: list[tuple[Any, str, dict[str, Any], dict[str, Any]]] = [
    (Connection, "connection", {"conn_id": "c", "conn_type": "http", "extra": ""}, {"host": "h"}),
    (Variable, "variable", {"key": "k", "val": "1"}, {"val": "2"}),
    (Pool, "pool", {"pool": "p", "slots": 1}, {"slots": 2}),
    (DagRule, "dag_rule", {"dag_id": "a*", "tag": "", "owner": "", "bundle": "", "role": 1}, {"dag_id": "b*"}),
    (Group, "role", {"name": "team"}, {"name": "group"}),
]


@pytest.mark.parametrize(("model", "about", "form", "change"), CHANGES, ids=[about for _, about, _, _ in CHANGES])
def test_every_change_by_hand_has_its_row_and_nothing_else_has(
    client: Client, model: Any, about: str, form: dict[str, Any], change: dict[str, Any]
) -> None:
    """C30-d: adding, changing, deleting one and deleting many; saving without a change leaves no row."""
    if model is DagRule:
        form = form | {"user": User.objects.get().pk, "group": ""}

    def rows() -> list[tuple[str, str | None]]:
        found = list(AuditLog.objects.order_by("pk").values_list("event", "owner"))
        AuditLog.objects.all().delete()
        return found

    there = set(model.objects.values_list("pk", flat=True))
    assert client.post(_url(model, "add"), form).status_code == 302
    row = model.objects.exclude(pk__in=there).get()
    made, changed, gone = (
        (f"{verb}_{about}", "admin")
        for verb in (
            ("post", "patch", "delete") if about in ("connection", "variable", "pool") else ("create", "change", "delete")
        )
    )
    assert rows() == [made]
    assert client.post(_url(model, "change", row.pk), form).status_code == 302
    assert rows() == []
    assert client.post(_url(model, "change", row.pk), form | change).status_code == 302
    assert rows() == [changed]
    client.post(_url(model, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert rows() == [gone]


def test_the_walk_over_changes_knows_every_model_that_is_edited() -> None:
    """Users have a test of their own, as their form has many parts."""
    assert {model.__name__ for model, *_ in CHANGES} | {"User"} == EDITABLE | {"Group"}
    for model, model_admin in admin.site._registry.items():
        if model.__name__ not in EDITABLE | {"Group"} and model._meta.app_label in (*OURS, "auth"):
            assert isinstance(model_admin, ReadOnlyAdmin), model
