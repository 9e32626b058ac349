"""Chosen DAGs of the list, or all that match its filters, are triggered after a preview that names them (C13-a, C30-a)."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditLog, DagRule, User
from accounts.roles import Role
from dags_app.models import Dag, DagFavorite
from runs.models import BulkAction, DagRun, TaskInstance
from tests.factories import make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of
from tests.integration.ui.test_bulk_pages import carry_out, order, preview
from tests.specs import dag as dag_of

pytestmark = pytest.mark.django_db

TRIGGER = {"target": "dags", "kind": "trigger"}


@pytest.fixture
def client() -> Client:
    for name in ("alpha", "beta", "gamma"):
        make_dag(name, dag_of("t", dag_id=name))
    Dag.objects.filter(pk="beta").update(is_paused=True)
    return client_of("User", name="ann")


def shown(client: Client, **data: Any) -> Any:
    return preview(client, **TRIGGER, **data)


def test_c13a_the_preview_names_the_dags_and_how_many_are_paused_and_starts_nothing(client: Client) -> None:
    answer = shown(client, selected=["alpha", "beta", "gone"])
    text = answer.content.decode()
    assert "<strong>2 DAGs</strong>" in text and "<strong>1</strong> paused" in text and "<strong>1</strong> on<" in text
    assert '<span class="tag">alpha</span>' in text and "1 of the chosen rows is gone" in text
    assert not BulkAction.objects.exists() and not DagRun.objects.exists()


def test_c13a_what_the_form_asks_reaches_the_runs(client: Client) -> None:
    data = {"selected": ["alpha", "beta"]}
    signature = shown(client, **data).context["form"].signature
    sent = TRIGGER | data | {"confirmed": "yes", "previewed": signature, "conf": '{"day": 3}', "note": "n", "unpause": "on"}
    answer = client.post("/bulk/new", sent | {"reason": "month end"})
    action = BulkAction.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/bulk/{action.pk}")
    carry_out()
    assert set(DagRun.objects.values_list("dag_id", "triggered_by", "note")) == {("alpha", "ui", "n"), ("beta", "ui", "n")}
    assert [run.conf for run in DagRun.objects.all()] == [{"day": 3}] * 2
    assert not Dag.objects.filter(is_paused=True).exists()
    assert AuditLog.objects.get(event="create_bulk_action").reason == "month end"
    page = client.get(f"/bulk/{action.pk}").content.decode()
    assert "Trigger 2 DAGs" in page and "<strong>2</strong> changed" in page and 'href="/dags/alpha"' in page
    assert "Trigger" in client.get("/bulk?target=dags").content.decode()


def test_all_that_match_the_filters_of_the_list_are_triggered_favourites_of_the_person_too(client: Client) -> None:
    DagFavorite.objects.create(dag_id="gamma", user_name="ann")
    DagFavorite.objects.create(dag_id="alpha", user_name="bob")
    assert shown(client, all="yes", query="q=alp&limit=25").context["form"].order.selection == {"filters": {"q": "alp"}}
    order(client, **TRIGGER, all="yes", query="is_favorite=true&order_by=dag_id")
    carry_out()
    assert list(DagRun.objects.values_list("dag_id", flat=True)) == ["gamma"]
    assert shown(client, all="yes", query="is_favorite=false&paused=true").context["form"].names == ["beta"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "Nothing is chosen"),
        ({"selected": ["alpha"], "conf": "[1]"}, "is a JSON object"),
        ({"selected": ["alpha"], "conf": "{"}, "This is no JSON"),
        ({"all": "yes", "query": "paused=perhaps"}, "valid boolean"),
        ({"all": "yes", "query": "is_favorite=perhaps"}, "valid boolean"),
    ],
)
def test_an_order_that_makes_no_sense_says_why(client: Client, data: dict[str, Any], said: str) -> None:
    answer = client.post("/bulk/new", TRIGGER | data | {"confirmed": "yes"})
    assert answer.status_code == 422 and said in answer.content.decode()
    assert not BulkAction.objects.exists()


def test_c30a_dags_that_somebody_may_only_read_are_not_triggered(client: Client) -> None:
    narrow = client_of("User", name="narrow")
    user = User.objects.get(username="narrow")
    DagRule.objects.create(user=user, dag_id="alpha", role=Role.USER)
    DagRule.objects.create(user=user, dag_id="beta", role=Role.VIEWER)
    form = shown(narrow, selected=["alpha", "beta", "gamma"]).context["form"]
    assert (form.names, form.lost) == (["alpha"], 2)
    order(narrow, **TRIGGER, all="yes", query="")
    carry_out()
    assert list(DagRun.objects.values_list("dag_id", flat=True)) == ["alpha"]
    assert client_of("Viewer").post("/bulk/new", TRIGGER | {"selected": ["alpha"]}).status_code == 403


def test_what_could_not_be_started_is_listed_though_it_has_no_run(client: Client) -> None:
    Dag.objects.filter(pk="alpha").update(latest_version=None)
    order(client, **TRIGGER, selected=["alpha"])
    carry_out()
    text = client.get(f"/bulk/{BulkAction.objects.get().pk}").content.decode()
    assert "has no version yet" in text and "<strong>1</strong> could not be done" in text


def test_a_note_that_is_written_after_the_preview_is_ordered_at_once(client: Client) -> None:
    ti = make_ti(make_run(Dag.objects.get(pk="alpha"), "r1"), "t")
    data = {"target": "task_instances", "kind": "note", "selected": [f"{ti.dag_run_id}:t:-1"]}
    signature = preview(client, **data).context["form"].signature
    sent = data | {"confirmed": "yes", "previewed": signature, "note": "look here"}
    assert client.post("/bulk/new", sent).status_code == 302
    carry_out()
    assert TaskInstance.objects.get().note == "look here"


def test_the_list_of_dags_offers_to_trigger_what_is_chosen(client: Client) -> None:
    text = client.get("/dags").content.decode()
    assert 'name="kind" value="trigger" formaction="/bulk/new" data-dialog' in text
    assert 'value="trigger"' not in client_of("Viewer").get("/dags").content.decode()
