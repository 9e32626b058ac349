"""A pause or an unpause can be taken back for a moment, where nobody has moved the switch since (C24-c, C30)."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditLog, DagRule, User
from accounts.roles import Role
from dags_app.models import Dag, DagVersion
from dags_app.pausing import dag_pause
from dags_app.selectors import spec_of
from dags_app.services import dag_set_next_dagrun, last_interval
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.timetables import CronTriggerTimetable, encode_timetable
from orchestrator.sdk.serialization.spec import DagSpec
from tests.factories import make_dag, make_run
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db


NOTHING = "Nothing is taken back: it is too long ago, or it was not you who moved the switch."


@pytest.fixture
def client() -> Client:
    make_dag("etl")
    make_dag("other")
    return client_of("User", name="ann")


def is_paused(dag_id: str = "etl") -> bool:
    return Dag.objects.get(pk=dag_id).is_paused


def switch(client: Client, to_paused: bool, dag_id: str = "etl") -> str:
    """Press the switch; return what its Undo would send."""
    answer = client.post(f"/dags/{dag_id}/pause", {"is_paused": str(to_paused).lower()}, follow=True)
    return str(next(message for message in answer.context["messages"] if message.extra_tags).extra_tags)


def undo(client: Client, request_id: str) -> list[str]:
    answer = client.post("/switch_back", {"request_id": request_id, "next": "/dags"}, follow=True)
    assert answer.redirect_chain == [("/dags", 302)]
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.parametrize(("to_paused", "said"), [(True, "etl is on again."), (False, "etl is paused again. Runs")])
def test_a_switch_is_as_it_was_and_the_audit_log_tells_both_ways(client: Client, to_paused: bool, said: str) -> None:
    Dag.objects.update(is_paused=not to_paused)
    request_id = switch(client, to_paused)
    assert is_paused() is to_paused
    assert undo(client, request_id)[0].startswith(said)
    assert is_paused() is not to_paused
    back, there = AuditLog.objects.filter(dag_id="etl", event__in=("paused", "unpaused"))[:2]
    assert (back.before, back.after) == (there.after, there.before)
    assert back.owner == "ann" and f'"undo_of": {there.pk}' in str(back.extra)


def test_many_switches_of_one_order_are_taken_back_together(client: Client) -> None:
    answer = client.post("/switch_dags", {"is_paused": "true", "selected": ["etl", "other"]}, follow=True)
    (message,) = answer.context["messages"]
    assert str(message) == "2 DAGs are paused." and ">Undo</button>" in answer.content.decode()
    assert undo(client, message.extra_tags) == ["2 DAGs are on again."]
    assert not Dag.objects.filter(is_paused=True).exists()


def test_only_dags_that_the_order_switched_are_switched_back(client: Client) -> None:
    Dag.objects.filter(pk="other").update(is_paused=True)
    answer = client.post("/switch_dags", {"is_paused": "true", "selected": ["etl", "other"]}, follow=True)
    (message,) = answer.context["messages"]
    undo(client, message.extra_tags)
    assert (is_paused("etl"), is_paused("other")) == (False, True)


def test_what_somebody_switched_since_is_left_alone(client: Client) -> None:
    request_id = switch(client, True)
    with transaction.atomic():
        dag_pause("etl", False, actor="bob")
        dag_pause("etl", True, actor="bob")
    assert undo(client, request_id) == ["etl is left alone: somebody moved the switch since."]
    assert is_paused()


def test_a_second_press_of_undo_changes_nothing(client: Client) -> None:
    request_id = switch(client, True)
    undo(client, request_id)
    assert undo(client, request_id) == ["etl is left alone: somebody moved the switch since."]
    assert not is_paused()


@pytest.mark.parametrize("request_id", ["", "nothing"])
def test_what_nobody_ordered_is_not_taken_back(client: Client, request_id: str) -> None:
    with transaction.atomic():
        dag_pause("etl", True, actor="ann")  # by a program: its audit row has no request
    assert undo(client, request_id) == [NOTHING]
    assert is_paused()


def test_after_a_minute_it_is_too_late(client: Client) -> None:
    request_id = switch(client, True)
    AuditLog.objects.update(when=utcnow() - timedelta(minutes=2))
    assert undo(client, request_id) == [NOTHING]
    assert is_paused()


def test_c30a_nobody_takes_back_what_another_did_or_what_he_may_not_change_any_more(client: Client) -> None:
    request_id = switch(client, True)
    assert undo(client_of("User", name="bob"), request_id) == [NOTHING]
    DagRule.objects.create(user=User.objects.get(username="ann"), dag_id="other", role=Role.USER)
    assert undo(client, request_id) == ["etl is left alone: deleted meanwhile, or no longer yours to switch."]
    assert is_paused()
    assert client_of("Viewer").post("/switch_back", {"request_id": request_id}).status_code == 403


def test_a_dag_that_was_deleted_meanwhile_is_told_as_that(client: Client) -> None:
    request_id = switch(client, True)
    Dag.objects.filter(pk="etl").delete()
    assert undo(client, request_id) == ["etl is left alone: deleted meanwhile, or no longer yours to switch."]


@pytest.mark.parametrize(("to_paused", "said"), [(True, "etl was paused already."), (False, "etl was on already.")])
def test_a_switch_that_stood_so_already_is_told_and_nothing_is_there_to_take_back(
    client: Client, to_paused: bool, said: str
) -> None:
    Dag.objects.update(is_paused=to_paused)
    answer = client.post("/dags/etl/pause", {"is_paused": str(to_paused).lower()}, follow=True)
    assert [(str(message), message.extra_tags) for message in answer.context["messages"]] == [(said, "")]
    assert ">Undo</button>" not in answer.content.decode()
    assert not AuditLog.objects.filter(event__in=("paused", "unpaused")).exists()


def test_more_than_a_hundred_dags_are_switched_but_not_taken_back_at_once(client: Client) -> None:
    names = [f"d{number:03}" for number in range(101)]
    for name in names:
        make_dag(name)
    for chosen, is_offered in ((names[:100], True), (names, False)):
        Dag.objects.update(is_paused=False)
        answer = client.post("/switch_dags", {"is_paused": "true", "selected": chosen}, follow=True)
        assert (">Undo</button>" in answer.content.decode()) is is_offered


def test_c13b_to_take_many_back_asks_for_them_together(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        make_dag(f"d{number:02}")
    answer = client.post("/switch_dags", {"is_paused": "true", "all": "yes", "query": "q=d"}, follow=True)
    (message,) = answer.context["messages"]
    assert str(message) == "30 DAGs are paused."
    with django_assert_max_num_queries(30 * 2 + 20):
        client.post("/switch_back", {"request_id": message.extra_tags})
    assert not Dag.objects.filter(is_paused=True).exists()


@pytest.fixture
def hourly(client: Client, request: pytest.FixtureRequest) -> Dag:
    """A paused DAG that leaves out what it missed when it goes on, or all but the last, and has missed five hours."""
    start = (utcnow() - timedelta(hours=5)).replace(minute=0, second=0, microsecond=0)
    on_unpause = getattr(request, "param", "none")
    timetable = encode_timetable(CronTriggerTimetable("@hourly", "UTC"))
    spec = DagSpec(dag_id="hourly", timetable=timetable, start_date=start.isoformat(), catchup=True, on_unpause=on_unpause)
    return make_dag("hourly", spec, is_paused=True, next_dagrun_create_after=start, next_dagrun_logical_date=start)


@pytest.mark.parametrize("hourly", ["none", "last"], indirect=True)
def test_c24c_intervals_that_an_unpause_left_out_are_due_again(client: Client, hourly: Dag) -> None:
    planned = hourly.next_dagrun_create_after
    request_id = switch(client, False, "hourly")
    hourly.refresh_from_db()
    assert hourly.skip_missed_until is not None and hourly.next_dagrun_create_after > hourly.skip_missed_until
    undo(client, request_id)
    hourly.refresh_from_db()
    assert hourly.is_paused and hourly.skip_missed_until is None
    assert hourly.next_dagrun_create_after == planned


@pytest.mark.parametrize("hourly", ["none", "last"], indirect=True)
def test_c24c_intervals_before_a_run_that_was_made_meanwhile_stay_left_out_and_the_page_says_so(
    client: Client, hourly: Dag
) -> None:
    request_id = switch(client, False, "hourly")
    hourly.refresh_from_db()
    made = hourly.next_dagrun_create_after
    make_run(hourly, "s", run_type="scheduled", logical_date=made, data_interval_start=made, data_interval_end=made)
    dag_set_next_dagrun(hourly, spec_of(hourly.latest_version_id), last_interval("hourly"))
    planned, marked = hourly.next_dagrun_create_after, hourly.skip_missed_until
    assert undo(client, request_id) == [
        "hourly is paused again. Runs that were made meanwhile stay.",
        "Intervals of hourly that were left out stay so: a run after them was made meanwhile.",
    ]
    hourly.refresh_from_db()
    assert (hourly.is_paused, hourly.skip_missed_until, hourly.next_dagrun_create_after) == (True, marked, planned)


def test_c24c_a_pause_that_is_taken_back_leaves_no_interval_out(client: Client, hourly: Dag) -> None:
    Dag.objects.filter(pk="hourly").update(is_paused=False)
    planned = hourly.next_dagrun_create_after
    undo(client, switch(client, True, "hourly"))
    hourly.refresh_from_db()
    assert (hourly.is_paused, hourly.skip_missed_until, hourly.next_dagrun_create_after) == (False, None, planned)


def test_i4_a_schedule_that_cannot_be_read_any_more_hinders_no_unpause(client: Client, hourly: Dag) -> None:
    Dag.objects.filter(pk="etl").update(is_paused=True)
    document = json.loads(hourly.latest_version.document)
    document["timetable"] = {"type": "CronTriggerTimetable"}
    DagVersion.objects.filter(pk=hourly.latest_version_id).update(document=json.dumps(document), structure_hash="other")
    client.post("/switch_dags", {"is_paused": "false", "selected": ["etl", "hourly"]})
    assert not Dag.objects.filter(is_paused=True).exists()
