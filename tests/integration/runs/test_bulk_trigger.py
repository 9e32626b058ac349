"""Many DAGs are triggered by one order: each gets one run, whoever refuses is named, and rights are those of the moment (C13, C30)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, transaction

from accounts.later import Authority, Giver, giver_of
from accounts.models import AuditLog, DagRule, User
from accounts.roles import Role
from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.rest.errors import InvalidError
from orchestrator.sdk.serialization.spec import DagSpec
from runs.bulk import services
from runs.bulk.requests import read_order
from runs.bulk.selection import foreseen, missing
from runs.bulk.services import bulk_order
from runs.models import BulkAction, DagRun
from runs.scheduler.carry_out_bulk_actions import CarryOutBulkActions
from tests.factories import make_dag
from tests.specs import dag as dag_of

pytestmark = pytest.mark.django_db

OPERATOR = Giver("ops", Authority.COMMAND_LINE)


def named(*dag_ids: str) -> dict[str, Any]:
    return {"items": [{"dag_id": dag_id} for dag_id in dag_ids]}


def order(giver: Giver = OPERATOR, options: dict[str, Any] | None = None, **selection: Any) -> BulkAction:
    read = read_order("dags", "trigger", selection.get("filters"), selection.get("items"), options)
    with transaction.atomic():
        return bulk_order(read, giver, door="cli", now=utcnow(), reason="month end")


def carry_out(action: BulkAction) -> tuple[str, int, int, int]:
    duty = CarryOutBulkActions()
    while action.is_open:
        duty._look_at = 0.0
        duty.run_once(100)
        action.refresh_from_db()
    return action.state, action.total, action.changed, action.failed


@pytest.fixture
def three() -> list[Dag]:
    made = [make_dag(name, dag_of("t", dag_id=name)) for name in ("a", "b", "c")]
    made[1].tags.create(name="nightly")
    Dag.objects.filter(pk="b").update(is_paused=True)
    return made


def test_c13a_each_chosen_dag_gets_one_run_with_what_was_given(three: list[Dag]) -> None:
    assert carry_out(order(options={"conf": {"day": 3}, "note": "by hand"}, **named("a", "b"))) == ("done", 2, 2, 0)
    runs = {run.dag_id: run for run in DagRun.objects.all()}
    assert sorted(runs) == ["a", "b"]
    told = {(run.state, run.run_type, run.triggered_by, run.triggering_user_name) for run in runs.values()}
    assert told == {("queued", "manual", "cli", "ops")}
    assert [(run.conf, run.note, run.note_user) for run in runs.values()] == [({"day": 3}, "by hand", "ops")] * 2
    assert Dag.objects.get(pk="b").is_paused


def test_c13b_ten_dags_are_triggered_in_one_transaction_since_others_wait_for_it() -> None:
    for number in range(25):
        make_dag(f"d{number:02}", dag_of("t", dag_id=f"d{number:02}"))
    action = order(filters={"dag_id": "~"})
    assert carry_out(action) == ("done", 25, 25, 0)
    assert action.parts == 3


def test_c30d_each_run_has_its_row_in_the_audit_log_with_the_order_and_the_reason(three: list[Dag]) -> None:
    action = order(**named("a", "b"))
    carry_out(action)
    rows = AuditLog.objects.filter(event="trigger_dag_run").order_by("dag_id")
    assert [(row.dag_id, row.owner, row.reason, row.request_id) for row in rows] == [
        (dag_id, "ops", "month end", action.request_id) for dag_id in ("a", "b")
    ]
    assert {row.run_id for row in rows} == set(DagRun.objects.values_list("run_id", flat=True))


def test_paused_dags_are_switched_on_where_that_is_asked_and_the_log_tells(three: list[Dag]) -> None:
    carry_out(order(options={"unpause": True}, **named("a", "b")))
    assert not Dag.objects.filter(is_paused=True).exists()
    assert list(AuditLog.objects.filter(event="unpaused").values_list("dag_id", flat=True)) == ["b"]


def test_c13a_filters_are_those_of_the_list_of_dags_and_a_dry_run_says_what_they_find(three: list[Dag]) -> None:
    Dag.objects.filter(pk="c").update(latest_version=None)
    everything = read_order("dags", "trigger", {"dag_id": "~"}, None, None)
    assert (foreseen(everything).by_state, foreseen(everything).runs) == ({"on": 1, "paused": 1, "without a version": 1}, 2)
    assert carry_out(order(filters={"tags": ["nightly"], "paused": True})) == ("done", 1, 1, 0)
    assert DagRun.objects.get().dag_id == "b" and not AuditLog.objects.filter(event="unpaused").exists()
    with pytest.raises(InvalidError, match="is_favorite"):
        read_order("dags", "trigger", {"is_favorite": True}, None, None)


def test_dags_without_a_file_are_chosen_only_where_that_is_asked(three: list[Dag]) -> None:
    Dag.objects.filter(pk="c").update(is_stale=True)
    assert foreseen(read_order("dags", "trigger", {"dag_id": "~"}, None, None)).total == 2
    assert foreseen(read_order("dags", "trigger", {"exclude_stale": False}, None, None)).total == 3


def test_i4_a_dag_that_cannot_run_is_named_with_its_reason_and_hinders_no_other(three: list[Dag]) -> None:
    Dag.objects.filter(pk="a").update(latest_version=None)
    params = {"day": {"value": None, "schema": {"type": "integer"}}}
    make_dag("asks", DagSpec(dag_id="asks", timetable={"type": "NullTimetable"}, params=params))
    action = order(**named("a", "asks", "b", "c"))
    Dag.objects.get(pk="c").delete()
    assert carry_out(action) == ("done", 3, 1, 2)
    told = dict(action.failures.values_list("dag_id", "error"))
    assert "has no version yet" in told["a"] and "day" in told["asks"]
    assert list(DagRun.objects.values_list("dag_id", flat=True)) == ["b"]


def test_what_is_deleted_after_the_selection_is_frozen_has_failed(three: list[Dag]) -> None:
    action, duty = order(**named("a", "b")), CarryOutBulkActions()
    while not action.is_frozen:
        duty._look_at = 0.0
        duty.run_once(100)
        action.refresh_from_db()
    Dag.objects.get(pk="b").delete()
    assert carry_out(action) == ("done", 2, 1, 1)
    assert "deleted meanwhile" in action.failures.get().error


def test_a_crash_in_a_part_starts_no_run_twice(three: list[Dag], monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(name: str) -> None:
        if name == "bulk.before_commit":
            raise OperationalError("the connection is gone")

    action = order(**named("a", "b", "c"))
    with monkeypatch.context() as broken:
        broken.setattr(services, "fault_point", dies)
        duty = CarryOutBulkActions()
        for _ in range(3):
            duty._look_at = 0.0
            duty.run_once(100)
    assert not DagRun.objects.exists()
    BulkAction.objects.update(retry_at=None)
    action.refresh_from_db()
    assert carry_out(action) == ("done", 3, 3, 0)
    assert DagRun.objects.count() == 3


def test_c30a_only_dags_are_triggered_that_the_giver_may_change_at_that_moment(three: list[Dag]) -> None:
    ann = User.objects.create_user("ann", password="a-long-password")
    ann.groups.add(Group.objects.get(name="User"))
    for dag_id, role in (("a", Role.USER), ("b", Role.USER), ("c", Role.VIEWER)):
        DagRule.objects.create(user=ann, dag_id=dag_id, role=role)
    action = order(giver_of(User.objects.get(pk=ann.pk)), **named("a", "b"))
    duty = CarryOutBulkActions()
    while not action.is_frozen:
        duty._look_at = 0.0
        duty.run_once(100)
        action.refresh_from_db()
    DagRule.objects.filter(dag_id="b").update(role=Role.VIEWER)
    assert carry_out(action) == ("done", 2, 1, 1)
    assert "may not change DAG 'b' any more" in action.failures.get().error
    everything = order(giver_of(User.objects.get(pk=ann.pk)), filters={"dag_id": "~"})
    assert carry_out(everything) == ("done", 1, 1, 0)
    assert set(DagRun.objects.values_list("dag_id", "triggered_by")) == {("a", "cli")}


def test_names_that_nothing_has_are_told(three: list[Dag]) -> None:
    assert missing(read_order("dags", "trigger", None, named("a", "nope")["items"], None)) == ["nope"]
