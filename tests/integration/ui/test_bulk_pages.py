"""Chosen rows of a list, or all that match its filters, are changed by a bulk action whose form shows what it touches (C13)."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog, DagRule, User
from accounts.roles import Role
from runs.models import BulkAction, DagRun, TaskInstance
from runs.scheduler.carry_out_bulk_actions import CarryOutBulkActions
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of
from tests.specs import dag as dag_of

pytestmark = pytest.mark.django_db

NEW = "/bulk/new"
RUNS, INSTANCES = {"target": "dag_runs"}, {"target": "task_instances"}


@pytest.fixture
def run() -> DagRun:
    run = make_run(make_dag("etl", dag_of("a >> b >> c")), "r1", state="failed", end_date=NOON)
    for task_id, state in (("a", "success"), ("b", "failed"), ("c", "upstream_failed")):
        make_ti(run, task_id, state=state)
    return run


@pytest.fixture
def client(run: DagRun) -> Client:
    return client_of("User", name="ann")


def preview(client: Client, **data: Any) -> Any:
    return client.post(NEW, data)


def order(client: Client, **data: Any) -> Any:
    shown = preview(client, **data)
    assert shown.status_code == 200, shown.content.decode()
    return client.post(NEW, data | {"confirmed": "yes", "previewed": shown.context["form"].signature})


def carry_out() -> None:
    duty = CarryOutBulkActions()
    for _ in range(10):
        duty._look_at = 0.0
        duty.run_once(100)


def test_c13a_the_form_says_what_a_clear_of_chosen_runs_touches_and_changes_nothing(client: Client, run: DagRun) -> None:
    shown = preview(client, **RUNS, kind="clear", selected=[run.pk])
    form, text = shown.context["form"], shown.content.decode()
    assert (form.seen.total, form.seen.runs, dict(form.by_state)) == (3, 1, {"success": 1, "failed": 1, "upstream_failed": 1})
    assert "3 task instances" in text and "They run again" in text
    assert preview(client, **RUNS, kind="clear", selected=[run.pk], only_failed="on").context["form"].seen.total == 2
    assert not BulkAction.objects.exists()


def test_c13b_chosen_runs_are_cleared_in_the_background_and_the_page_tells(client: Client, run: DagRun) -> None:
    answer = order(client, **RUNS, kind="clear", selected=[run.pk], only_failed="on", code="own", reason="bad input")
    action = BulkAction.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/bulk/{action.pk}")
    assert (action.actor, action.reason, action.options) == (
        "ann",
        "bad input",
        {"only_failed": True, "run_on_latest_version": False},
    )
    assert AuditLog.objects.get(event="create_bulk_action").dag_id == "etl"
    assert 'data-live-every="2"' in client.get(f"/bulk/{action.pk}").content.decode()
    carry_out()
    assert set(TaskInstance.objects.filter(task_id__in=["b", "c"]).values_list("state", flat=True)) == {None}
    assert TaskInstance.objects.get(task_id="a").state == "success"
    text = client.get(f"/bulk/{action.pk}").content.decode()
    assert "<strong>2</strong> changed" in text and "etl r1" in text and "data-live-every" not in text


def test_a_reason_of_any_length_is_kept_as_far_as_it_fits_and_odd_rows_are_left_out(client: Client, run: DagRun) -> None:
    assert order(client, **RUNS, kind="clear", selected=[run.pk], reason="x" * 3000).status_code == 302
    assert len(BulkAction.objects.get().reason) == len(AuditLog.objects.get(event="create_bulk_action").reason) == 1000
    odd = [f"{run.pk}:b:{'9' * 5000}", f"{run.pk}:b:-{'9' * 5000}", f"{run.pk}:b:-1", f"{'9' * 5000}:b:-1"]
    shown = preview(client, **INSTANCES, kind="clear", selected=odd)
    assert (shown.status_code, shown.context["form"].seen.total, shown.context["form"].lost) == (200, 1, 3)


def test_c13a_all_that_match_the_filters_are_counted_and_changed_and_no_others(client: Client, run: DagRun) -> None:
    other = make_run(make_dag("other"), "r2", state="failed")
    make_ti(other, "t", state="failed")
    data = {**INSTANCES, "kind": "mark_success", "all": "yes", "query": "state=failed&dag_id_pattern=etl&limit=25&order_by=state"}
    shown = preview(client, **data)
    assert shown.context["form"].seen.total == 1
    assert [(chip.label, chip.value) for chip in shown.context["form"].chips] == [("State", "failed"), ("DAG id", "etl")]
    order(client, **data)
    assert BulkAction.objects.get().selection == {"filters": {"state": ["failed"], "dag_id_pattern": "etl"}}
    carry_out()
    assert sorted(TaskInstance.objects.filter(state="failed").values_list("dag_id", flat=True)) == ["other"]
    page = client.get("/bulk/" + str(BulkAction.objects.get().pk)).content.decode()
    assert "State: failed" in page and "DAG id: etl" in page


def test_all_runs_of_a_dag_page_are_those_of_its_dag(client: Client, run: DagRun) -> None:
    make_run(make_dag("other"), "r2")
    form = preview(client, **RUNS, kind="mark_failed", all="yes", query="", dag_id="etl").context["form"]
    assert (form.seen.total, form.order.selection) == (1, {"filters": {"dag_id": "etl"}})
    everything = preview(client, **RUNS, kind="mark_failed", all="yes", query="limit=25")
    assert everything.context["form"].seen.total == 2 and "everything of every DAG" in everything.content.decode()


def test_single_task_instances_are_named_by_their_place(client: Client, run: DagRun) -> None:
    make_ti(run, "m", state="failed", map_index=3)
    make_ti(run, "m", state="failed", map_index=4)
    order(client, **INSTANCES, kind="mark_skipped", selected=[f"{run.pk}:b:-1", f"{run.pk}:m:3", f"{run.pk}:", "x:y:z"])
    named = [(item["task_id"], item["map_index"]) for item in BulkAction.objects.get().selection["items"]]
    assert named == [("b", -1), ("m", 3)]
    carry_out()
    assert set(TaskInstance.objects.filter(state="skipped").values_list("task_id", "map_index")) == {("b", -1), ("m", 3)}


def test_other_rows_than_those_that_were_shown_are_not_ordered(client: Client, run: DagRun) -> None:
    data = {**RUNS, "kind": "clear", "selected": [run.pk]}
    signature = preview(client, **data).context["form"].signature
    changed = client.post(NEW, data | {"only_failed": "on", "confirmed": "yes", "previewed": signature})
    assert changed.status_code == 422 and "other rows or options" in changed.content.decode()
    assert not BulkAction.objects.exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"kind": "clear"}, "Nothing is chosen"),
        ({"kind": "clear", "selected": ["999"]}, "Nothing is chosen"),
        ({"kind": "clear", "all": "yes", "query": "state=nope"}, "Valid values"),
        ({"kind": "clear", "all": "yes", "query": "run_after_gte=soon"}, "valid datetime"),
        ({"kind": "hold", "all": "yes", "until": "soon"}, "is no time"),
        ({"kind": "clear", "all": "yes", "query": "run_id_pattern=none"}, "Nothing there is left"),
    ],
)
def test_an_order_that_makes_no_sense_says_why(client: Client, data: dict[str, Any], said: str) -> None:
    answer = client.post(NEW, RUNS | data | {"confirmed": "yes"})
    assert answer.status_code == 422 and said in answer.content.decode()
    assert not BulkAction.objects.exists()


def test_deleting_many_runs_is_confirmed_by_their_number(client: Client, run: DagRun) -> None:
    for number in range(59):
        make_run(run.dag, f"many{number}", state="success")
    data = {**RUNS, "kind": "delete", "all": "yes", "query": ""}
    assert order(client, **data).status_code == 422
    assert order(client, **data, typed="delete 60").status_code == 302
    carry_out()
    assert not DagRun.objects.exists()


def test_c30a_nobody_changes_runs_of_a_dag_that_is_hidden_from_him_or_that_he_may_only_read(run: DagRun) -> None:
    mine = make_run(make_dag("mine"), "m1", state="failed")
    read = make_run(make_dag("read"), "x1", state="failed")
    client = client_of("User", name="narrow")
    user = User.objects.get(username="narrow")
    DagRule.objects.create(user=user, dag_id="mine", role=Role.USER)
    DagRule.objects.create(user=user, dag_id="read", role=Role.VIEWER)
    form = preview(client, **RUNS, kind="mark_success", selected=[run.pk, mine.pk, read.pk]).context["form"]
    assert (form.seen.total, form.lost) == (1, 2)
    order(client, **RUNS, kind="mark_success", all="yes", query="state=failed")
    carry_out()
    assert list(DagRun.objects.filter(state="success").values_list("dag_id", flat=True)) == ["mine"]
    others = client_of("User", name="other")
    assert others.get(f"/bulk/{BulkAction.objects.get().pk}").status_code == 404
    assert client_of("Viewer").post(NEW, RUNS | {"kind": "clear", "selected": [run.pk]}).status_code == 403


def test_an_action_is_cancelled_once_and_only_by_those_who_may(client: Client, run: DagRun) -> None:
    order(client, **RUNS, kind="clear", selected=[run.pk])
    url = f"/bulk/{BulkAction.objects.get().pk}"
    viewer = client_of("Viewer")
    assert viewer.get(url).status_code == viewer.get("/bulk").status_code == 200
    assert viewer.post(f"{url}/cancel").status_code == 403
    assert client.post(f"{url}/cancel")["Location"] == url
    assert client.post(f"{url}/cancel").status_code == 409
    assert AuditLog.objects.get(event="cancel_bulk_action").owner == "ann"
    carry_out()
    assert TaskInstance.objects.filter(state="failed").count() == 1
    assert client.get("/bulk/999").status_code == 404 and client.post(NEW, {"target": "x", "kind": "y"}).status_code == 404


def test_what_could_not_be_done_is_listed_with_its_reason(client: Client, run: DagRun) -> None:
    DagRun.objects.update(state="running")
    order(client, **RUNS, kind="delete", selected=[run.pk])
    carry_out()
    text = client.get(f"/bulk/{BulkAction.objects.get().pk}").content.decode()
    assert "cannot be deleted in running state" in text and "<strong>1</strong> could not be done" in text


def test_c07_the_list_of_bulk_actions_takes_filters_and_as_many_queries_for_many(client: Client, run: DagRun) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/bulk").status_code == 200
        return len(seen)

    values = {
        "target": "dag_runs",
        "actor": "ann",
        "authority": "user",
        "created_at": NOON,
        "selection": {"filters": {"dag_id": "~"}},
    }
    BulkAction.objects.create(kind="clear", **values)
    few = queries()
    for number in range(20):
        BulkAction.objects.create(kind="mark_failed", state="done", total=10, done=number % 10, **values)
    assert queries() == few
    assert client.get("/bulk?state=done&kind=mark_failed&target=dag_runs&actor=ann").context["list"].total == 20
    assert client.get("/bulk?kind=clear").context["list"].total == 1
