"""The admin: every model has a list, a page and a search; nothing of the platform can be edited; secrets stay inside."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditLog, User
from runs.models import Pool, StateChange, TaskInstance, XCom
from tests.factories import NOON, make_dag, make_lease, make_run, make_ti
from vault.models import Connection, Variable

OURS = ("accounts", "vault", "dags_app", "runs", "processes")
MODELS = [model for name in OURS for model in apps.get_app_config(name).get_models()]
EDITABLE = {"User", "Connection", "Variable", "Pool"}


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="x"))
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
    Connection.objects.create(conn_id=f"c{number}", conn_type="http", password="hidden-password", extra='{"key": "hidden-extra"}')
    Variable.objects.create(key=f"v{number}", val="hidden-value")


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


def test_a_secret_goes_in_and_an_empty_input_keeps_it(client: Client) -> None:
    _populate(1)
    row = Connection.objects.get(conn_id="c1")
    url = _url(Connection, "change", row.pk)
    answer = client.post(url, {"conn_id": "c1", "conn_type": "https", "host": "h", "password": "", "extra": ""})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.conn_type, row.get_password(), row.get_extra()) == ("https", "hidden-password", '{"key": "hidden-extra"}')
    client.post(url, {"conn_id": "c1", "conn_type": "https", "password": "newer", "extra": ""})
    row.refresh_from_db()
    assert row.get_password() == "newer"
    assert AuditLog.objects.filter(event="patch_connection", owner="admin").count() == 2


def test_a_variable_needs_a_value_and_keeps_it(client: Client) -> None:
    assert client.post(_url(Variable, "add"), {"key": "k", "val": ""}).status_code == 200
    assert client.post(_url(Variable, "add"), {"key": "k", "val": "text"}).status_code == 302
    row = Variable.objects.get(key="k")
    client.post(_url(Variable, "change", row.pk), {"key": "k", "val": "", "description": "new"})
    row.refresh_from_db()
    assert (row.get_val(), row.description) == ("text", "new")


def test_the_default_pool_stays(client: Client) -> None:
    default, _ = Pool.objects.get_or_create(pool="default_pool")
    other = Pool.objects.create(pool="other", slots=1)
    assert client.post(_url(Pool, "delete", default.pk), {"post": "yes"}).status_code == 403
    assert client.post(_url(Pool, "delete", other.pk), {"post": "yes"}).status_code == 302
    chosen = {"action": "delete_selected", "_selected_action": [default.pk], "post": "yes"}
    client.post(_url(Pool, "changelist"), chosen)
    assert list(Pool.objects.values_list("pool", flat=True)) == ["default_pool"]
