"""Bulk actions: what an order means, what its parts do, and what they leave alone (C13-a, C13-b, C21-b)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, transaction

from accounts.later import Authority, Giver, giver_of
from accounts.models import AuditLog, DagRule, User
from accounts.named_tokens import token_create, token_revoke
from accounts.roles import Role
from dags_app.models import Dag, DagVersion
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from orchestrator.rest.errors import InvalidError, NotFoundError
from orchestrator.sdk.serialization.spec import to_json
from runs.bulk import selection, services
from runs.bulk.found import Item, RunItems
from runs.bulk.parts import PART, cuts
from runs.bulk.requests import Order, read_order
from runs.bulk.selection import foreseen
from runs.bulk.services import NotOpenError, bulk_cancel, bulk_order
from runs.explain.run import explain_run
from runs.models import BulkAction, BulkFailure, BulkPart, DagRun, Hold, StateChange, TaskInstance, TaskInstanceHistory
from runs.scheduler.carry_out_bulk_actions import CarryOutBulkActions
from runs.services_hold import hold_place
from runs.services_mark import run_set_state, run_stop
from tests.factories import NOON, make_dag, make_lease, make_run, make_ti
from tests.integration.runs.harness import Rounds, spec_of_edges, trigger
from tests.specs import dag

pytestmark = pytest.mark.django_db

OPERATOR = Giver("ops", Authority.COMMAND_LINE)


def fill(runs: int, tasks: int, state: str | None = "failed", dag_id: str = "d", run_state: str = "failed") -> list[DagRun]:
    """Runs of one DAG, each with so many independent tasks."""
    ids = [f"t{number:04}" for number in range(tasks)]
    made = make_dag(dag_id, dag(", ".join(ids), dag_id=dag_id))
    found = [make_run(made, f"r{number:04}", state=run_state) for number in range(runs)]
    names = {"dag_id": dag_id, "dag_version": made.latest_version, "state": state, "try_number": 1, "updated_at": NOON}
    rows = [TaskInstance(id=new_id(), dag_run=run, run_id=run.run_id, task_id=task, **names) for run in found for task in ids]
    TaskInstance.objects.bulk_create(rows)
    return found


def order(kind: str, target: str = "task_instances", *, giver: Giver = OPERATOR, reason: str = "", **asked: Any) -> BulkAction:
    asked = asked or {"filters": {"dag_id": "d"}}
    read = read_order(target, kind, asked.get("filters"), asked.get("items"), asked.get("options"))
    with transaction.atomic():
        return bulk_order(read, giver, door="cli", now=utcnow(), reason=reason)


def step(duty: CarryOutBulkActions, times: int = 1) -> None:
    for _ in range(times):
        duty._look_at = 0.0
        duty.run_once(100)


def carry_out(action: BulkAction) -> BulkAction:
    duty = CarryOutBulkActions()
    while action.is_open:
        step(duty)
        action.refresh_from_db()
    return action


def counts(action: BulkAction) -> tuple[str, int, int, int, int]:
    return action.state, action.total, action.done, action.changed, action.failed


def states(**where: Any) -> dict[str | None, int]:
    found: dict[str | None, int] = {}
    for state in TaskInstance.objects.filter(**where).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_c13b_ten_thousand_task_instances_are_cleared_by_one_order() -> None:
    runs = fill(runs=50, tasks=200)
    action = carry_out(order("clear", filters={"dag_id": "d", "state": ["failed"]}))
    assert counts(action) == ("done", 10_000, 10_000, 10_000, 0)
    assert states() == {None: 10_000}
    assert TaskInstanceHistory.objects.count() == StateChange.objects.exclude(task_id="").count() == 10_000
    assert set(DagRun.objects.values_list("state", "clear_number")) == {("queued", 1)}
    assert AuditLog.objects.filter(event="post_clear_task_instances", owner="ops").count() == 10_000
    assert not BulkPart.objects.exists()
    assert not Hold.objects.exists()
    assert len(runs) == 50


def test_c13a_a_dry_run_counts_by_state_and_changes_nothing() -> None:
    run = fill(runs=2, tasks=3)[0]
    TaskInstance.objects.filter(dag_run=run, task_id="t0000").update(state=None)
    asked = Order("mark_success", "task_instances", {"filters": {"dag_id": "d"}}, {})
    found = foreseen(asked)
    assert (found.by_state, found.total, found.runs) == ({"none": 1, "failed": 5}, 6, 2)
    assert foreseen(Order("clear", "dag_runs", {"filters": {"dag_id": "d"}}, {"only_failed": True})).by_state == {"failed": 5}
    assert foreseen(Order("stop", "dag_runs", {"filters": {"state": ["failed"]}}, {})).by_state == {"failed": 2}
    assert not BulkAction.objects.exists()


@pytest.mark.parametrize(
    ("filters", "number"),
    [
        ({"dag_id": "~"}, 6),
        ({"dag_run_id": "r0001"}, 3),
        ({"task_ids": ["t0000", "t0002"], "dag_run_ids": "r0000"}, 2),
        ({"run_id_pattern": "r%1", "task_id": "t0001"}, 1),
        ({"dag_id": "other"}, 0),
        ({"state": "none"}, 0),
        ({"updated_at_gte": "2000-01-01T00:00:00Z", "try_number": 1}, 6),
    ],
)
def test_c13a_an_order_takes_the_filters_of_the_lists(filters: dict[str, Any], number: int) -> None:
    fill(runs=2, tasks=3)
    assert foreseen(read_order("task_instances", "mark_failed", filters, None, None)).total == number


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("task_instances", "stop", {"dag_id": "d"}, None, None), "one of clear"),
        (("task_instances", "clear", {"dag": "d"}, None, None), "Extra inputs"),
        (("task_instances", "clear", {"start_date_gte": "soon"}, None, None), "valid datetime"),
        (("task_instances", "clear", {"dag_id": "d"}, None, {"only_failed": True}), "Extra inputs"),
        (("task_instances", "note", {"dag_id": "d"}, None, {}), "Field required"),
        (("task_instances", "clear", {"dag_id": "~"}, None, {"dag_version": 1}), "version of one DAG"),
        (("dag_runs", "clear", {"dag_ids": ["d", "e"]}, None, {"dag_version": 1}), "version of one DAG"),
        (("dag_runs", "clear", None, [{"dag_id": n, "dag_run_id": "r"} for n in "de"], {"dag_version": 1}), "version of one DAG"),
        (("dag_runs", "clear", {"dag_id": "d"}, None, {"dag_version": 0}), "greater than or equal to 1"),
        (("task_instances", "clear", None, None, None), "Exactly one of filters and items"),
        (("task_instances", "clear", {}, None, None), "at least one filter"),
        (("task_instances", "clear", {"dag_run_ids": []}, None, None), "needs a value"),
        (("dag_runs", "clear", {"conf_contains": ""}, None, None), "needs a value"),
        (("task_instances", "hold", {"dag_id": "d"}, None, {"until": "2020-01-01T00:00:00Z"}), "the time is past"),
    ],
)
def test_an_order_that_means_nothing_is_refused_with_the_place(asked: Any, said: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read_order(*asked)
    assert said in str(caught.value.detail)


def test_a_task_group_is_named_by_its_dag() -> None:
    fill(runs=1, tasks=1)
    with pytest.raises(NotFoundError):
        read_order("task_instances", "clear", {"dag_id": "d", "task_group_id": "nope"}, None, None)


def test_a_clear_takes_setups_teardowns_and_what_is_asked_along_once() -> None:
    made = make_dag("d", dag("s >> a >> b >> t, s >> t, a >> c", s={"is_setup": True}, t={"is_teardown": True}))
    run = make_run(made, state="failed")
    for task_id in "sabct":
        make_ti(run, task_id, state="failed" if task_id == "b" else "success")
    action = carry_out(order("clear", filters={"state": "failed"}))
    assert counts(action) == ("done", 3, 3, 3, 0)
    assert dict(TaskInstance.objects.values_list("task_id", "state")) == {
        "s": None,
        "a": "success",
        "b": None,
        "c": "success",
        "t": None,
    }
    wider = foreseen(read_order("task_instances", "clear", {"task_id": "a"}, None, {"include_downstream": True}))
    assert wider.by_state == {"none": 3, "success": 2}


def test_a_clear_of_runs_takes_their_task_instances_or_the_failed_ones() -> None:
    runs = fill(runs=2, tasks=3)
    TaskInstance.objects.filter(task_id="t0000").update(state="success")
    action = carry_out(order("clear", "dag_runs", filters={"state": "failed"}, options={"only_failed": True}))
    assert counts(action) == ("done", 4, 4, 4, 0)
    assert states() == {"success": 2, None: 4}
    assert {run.state for run in DagRun.objects.all()} == {"queued"}
    assert set(AuditLog.objects.values_list("event", flat=True)) == {"clear_dag_run"}
    assert len(runs) == 2


def newer_version(run: DagRun, *tasks: str) -> DagVersion:
    """A second version of the DAG, with these tasks, as its newest."""
    document = json.dumps(to_json(dag(", ".join(tasks))))
    names = {"structure_hash": "2", "attributes_hash": "2", "document": document}
    version = DagVersion.objects.create(dag=run.dag, version_number=2, **names)
    Dag.objects.filter(pk=run.dag_id).update(latest_version=version)
    return version


@pytest.mark.parametrize("target", ["task_instances", "dag_runs"])
def test_a_clear_goes_on_with_the_version_that_is_named(target: str) -> None:
    run = fill(runs=1, tasks=1)[0]
    newer = newer_version(run, "t0000")
    asked: dict[str, Any] = {"filters": {"dag_ids": ["d"]}}
    assert counts(carry_out(order("clear", target, **asked, options={"dag_version": 2}))) == ("done", 1, 1, 1, 0)
    assert DagRun.objects.get().created_dag_version_id == newer.pk
    TaskInstance.objects.update(state="failed")
    assert counts(carry_out(order("clear", target, **asked, options={"dag_version": 7}))) == ("done", 1, 1, 0, 1)
    assert "has no version 7" in BulkFailure.objects.get().error


def test_the_note_of_a_clear_of_runs_is_the_note_of_the_runs() -> None:
    fill(runs=2, tasks=PART + 1)
    carry_out(order("clear", "dag_runs", filters={"dag_id": "d"}, options={"note": "again"}))
    assert list(DagRun.objects.values_list("note", flat=True)) == ["again", "again"]
    assert not TaskInstance.objects.exclude(note__isnull=True).exclude(note="").exists()


def test_a_clear_of_runs_that_clears_nothing_leaves_their_note() -> None:
    run = fill(runs=1, tasks=1)[0]
    DagRun.objects.update(note="mine", note_user="ann")
    action, duty = order("clear", "dag_runs", filters={"dag_id": "d"}, options={"note": "again"}), CarryOutBulkActions()
    step(duty)
    TaskInstance.objects.filter(dag_run=run).update(id=new_id())
    assert counts(carry_out(action)) == ("done", 1, 1, 0, 0)
    run.refresh_from_db()
    assert (run.note, run.note_user) == ("mine", "ann")


@pytest.mark.parametrize(("kind", "parts"), [("run_new_tasks", 3), ("queue", 1)])
def test_c13b_what_takes_longer_by_run_is_done_in_smaller_parts(kind: str, parts: int) -> None:
    fill(runs=25, tasks=1)
    assert carry_out(order(kind, "dag_runs", filters={"dag_id": "d"})).parts == parts


def test_runs_get_the_tasks_that_are_new_in_the_newest_version_and_no_other_runs_again() -> None:
    run = fill(runs=1, tasks=1, state="success", run_state="success")[0]
    newer = newer_version(run, "t0000", "fresh")
    old = fill(runs=1, tasks=1, state="success", run_state="success", dag_id="other")[0]
    action = carry_out(order("run_new_tasks", "dag_runs", filters={"dag_id": "~"}, options={"note": "wider"}))
    assert (action.state, action.done, action.changed) == ("done", 2, 1)
    run.refresh_from_db()
    assert (run.state, run.note, DagRun.objects.get(pk=old.pk).state) == ("queued", "wider", "success")
    assert (run.created_dag_version_id, states()) == (newer.pk, {"success": 2})


def test_c13b_what_began_anew_since_it_was_chosen_is_left_alone() -> None:
    run = fill(runs=1, tasks=2)[0]
    action, duty = order("clear", filters={"state": "failed"}), CarryOutBulkActions()
    step(duty)  # frozen
    other = new_id()
    TaskInstance.objects.filter(task_id="t0000").update(id=other, state="running")
    make_lease(TaskInstance.objects.get(task_id="t0000"), dispatch_id=new_id())
    make_ti(run, "t0009", state="failed")  # it came later
    assert counts(carry_out(action)) == ("done", 2, 2, 1, 0)
    assert dict(TaskInstance.objects.values_list("task_id", "state")) == {"t0000": "running", "t0001": None, "t0009": "failed"}


@pytest.mark.parametrize(("runs_at_once", "page"), [(1, 2000), (2, 3), (500, 3), (500, 1)])
def test_a_selection_is_frozen_page_by_page_whole_and_once(monkeypatch: pytest.MonkeyPatch, runs_at_once: int, page: int) -> None:
    monkeypatch.setattr(selection, "RUNS_AT_ONCE", runs_at_once)
    monkeypatch.setattr(selection, "PAGE", page)
    fill(runs=5, tasks=2)
    fill(runs=1, tasks=1, dag_id="other")
    for target, number in (("task_instances", 10), ("dag_runs", 5)):
        action = carry_out(order("mark_success", target))
        assert counts(action) == ("done", number, number, number, 0)
    assert foreseen(read_order("dag_runs", "clear", {"dag_id": "d"}, None, None)).by_state == {"success": 10}


def test_a_large_run_is_held_between_its_parts_and_counts_one_clear() -> None:
    run = fill(runs=1, tasks=2 * PART + 1)[0]
    action, duty = order("clear"), CarryOutBulkActions()
    step(duty, 2)
    hold = Hold.objects.get()
    assert (hold.held_by, hold.bulk_action_id, hold.task_id) == ("ops", action.pk, "")
    assert hold.reason == f"bulk action {action.pk} (clear) changes its task instances"
    rounds = Rounds()
    run.refresh_from_db()
    assert explain_run(run)[0].sentence == f"Run r0000 is held by ops until that is done: {hold.reason}."
    rounds.run(1)  # the run is not begun, and nothing in it
    carry_out(action)
    run.refresh_from_db()
    assert (run.clear_number, run.wait_reason, Hold.objects.exists()) == (1, None, False)
    assert counts(action)[1:4] == (2 * PART + 1,) * 3
    assert rounds.executor.handed == []


def test_the_hold_of_a_person_outlives_a_clear_in_parts() -> None:
    run = fill(runs=1, tasks=PART + 1, state=None, run_state="running")[0]
    with transaction.atomic():
        hold_place(run, by="ann", now=utcnow())
    TaskInstance.objects.update(state="failed")
    carry_out(order("clear"))
    assert Hold.objects.get().held_by == "ann"


def test_a_cancelled_action_stops_where_it_is_and_lets_its_runs_go_on() -> None:
    fill(runs=1, tasks=2 * PART)
    action, duty = order("clear"), CarryOutBulkActions()
    step(duty, 2)
    with transaction.atomic():
        bulk_cancel(action, now=utcnow())
    assert counts(carry_out(action)) == ("cancelled", 2 * PART, PART, PART, 0)
    assert states() == {None: PART, "failed": PART}
    assert (Hold.objects.count(), BulkPart.objects.count()) == (0, 0)
    with transaction.atomic(), pytest.raises(NotOpenError, match="nothing is left to cancel"):
        bulk_cancel(action, now=utcnow())


def test_marks_of_many_parts_stay_as_marked() -> None:
    """Marking a task lets what failed below it run again, but not what the same order marks."""
    spec = spec_of_edges("d", {"a": [], "b": ["a"], "c": ["b"]})
    for state in ("success", "failed"):
        run = make_run(make_dag(f"d_{state}", spec), state="failed")
        for task_id in "abc":
            make_ti(run, task_id, state="upstream_failed")
        asked = {"filters": {"dag_id": f"d_{state}", "task_ids": ["a", "b"]}}
        action = carry_out(order(f"mark_{state}", **asked))
        assert counts(action) == ("done", 2, 2, 2, 0)
        found = dict(TaskInstance.objects.filter(dag_run=run).values_list("task_id", "state"))
        assert found == {"a": state, "b": state, "c": None if state == "success" else "upstream_failed"}


def test_i4_one_item_that_cannot_be_done_hinders_no_other() -> None:
    run = fill(runs=1, tasks=3, state="up_for_retry", run_state="running")[0]
    TaskInstance.objects.filter(task_id="t0001").update(state="success")
    action = carry_out(order("retry_now"))
    assert counts(action) == ("done", 3, 3, 2, 1)
    failure = BulkFailure.objects.get()
    assert (failure.dag_id, failure.run_id, failure.task_id) == ("d", run.run_id, "t0001")
    assert failure.error == "t0001 of run r0000 does not wait for another try: it is success"
    events = AuditLog.objects.filter(event="retry_now")
    assert sorted(events.values_list("task_id", flat=True)) == ["t0000", "t0002"]
    assert set(events.values_list("request_id", flat=True)) == {action.request_id}


def test_what_runs_is_refused_where_that_is_asked_and_the_rest_is_cleared() -> None:
    fill(runs=1, tasks=2)
    TaskInstance.objects.filter(task_id="t0000").update(state="running")
    make_lease(TaskInstance.objects.get(task_id="t0000"), dispatch_id=new_id())
    asked = {"filters": {"dag_id": "d"}, "options": {"prevent_running_task": True}}
    assert counts(carry_out(order("clear", **asked))) == ("done", 2, 2, 1, 1)
    assert "is running" in BulkFailure.objects.get().error


def test_what_is_gone_is_reported_by_name() -> None:
    runs = fill(runs=2, tasks=1)
    action, duty = order("mark_success"), CarryOutBulkActions()
    step(duty)
    TaskInstance.objects.filter(dag_run=runs[0]).delete()
    DagRun.objects.filter(pk=runs[1].pk).delete()
    assert counts(carry_out(action)) == ("done", 2, 2, 0, 2)
    said = list(BulkFailure.objects.order_by("run_id").values_list("error", flat=True))
    assert said == ["task instance t0000[-1] was deleted meanwhile", "the run was deleted meanwhile"]


def test_of_many_failures_the_first_are_kept_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "FAILURES_KEPT", 3)
    fill(runs=1, tasks=PART + 5)
    action = carry_out(order("give_up"))
    assert action.failed == action.done == PART + 5
    assert BulkFailure.objects.count() == 3


RUN_KINDS: list[tuple[str, str, dict[str, Any], str, tuple[int, int]]] = [
    ("mark_success", "failed", {}, "success", (2, 0)),
    ("mark_failed", "failed", {}, "failed", (0, 0)),
    ("queue", "failed", {}, "queued", (2, 0)),
    ("stop", "running", {}, "failed", (2, 0)),
    ("stop", "success", {}, "success", (0, 0)),
    ("hold", "running", {}, "running", (2, 0)),
    ("hold", "success", {}, "success", (0, 2)),
    ("release", "running", {}, "running", (0, 0)),
    ("note", "running", {"note": "n"}, "running", (2, 0)),
    ("delete", "running", {}, "running", (0, 2)),
]


@pytest.mark.parametrize(("kind", "before", "options", "after", "numbers"), RUN_KINDS, ids=[f"{r[0]} {r[1]}" for r in RUN_KINDS])
def test_each_kind_on_runs_and_c30d_audit_of_changes_only(
    kind: str, before: str, options: dict[str, Any], after: str, numbers: tuple[int, int]
) -> None:
    fill(runs=2, tasks=1, state="success", run_state=before)
    action = carry_out(order(kind, "dag_runs", filters={"dag_id": "d"}, options=options, reason="why"))
    assert (action.done, action.changed, action.failed) == (2, *numbers)
    assert set(DagRun.objects.values_list("state", flat=True)) == {after}
    assert AuditLog.objects.filter(owner="ops", reason="why", run_id__startswith="r").count() == numbers[0]


def test_runs_are_deleted_with_what_belongs_to_them() -> None:
    fill(runs=2, tasks=1)
    assert counts(carry_out(order("delete", "dag_runs", filters={"dag_id": "d"}))) == ("done", 2, 2, 2, 0)
    assert not DagRun.objects.exists()


@pytest.mark.parametrize(
    ("kind", "options", "check"),
    [
        ("mark_skipped", {}, {"state": "skipped"}),
        ("give_up", {}, {"state": "failed"}),
        ("hold", {"until": "2999-01-01T00:00:00Z"}, {"wait_reason": "held"}),
        ("note", {"note": "n"}, {"note": "n", "note_user": "ops"}),
        ("delete", {}, None),
    ],
)
def test_each_kind_on_task_instances_changes_once(kind: str, options: dict[str, Any], check: dict[str, Any] | None) -> None:
    fill(runs=1, tasks=2, state="up_for_retry", run_state="running")
    asked = {"filters": {"dag_id": "d"}, "options": options}
    action = carry_out(order(kind, **asked))
    assert counts(action) == ("done", 2, 2, 2, 0)
    assert TaskInstance.objects.filter(**check or {}).count() == (2 if check else 0)
    if kind in ("hold", "note"):
        assert counts(carry_out(order(kind, **asked))) == ("done", 2, 2, 0, 0)
        assert AuditLog.objects.filter(task_id__startswith="t").count() == 2
    if kind == "hold":
        assert counts(carry_out(order("release"))) == ("done", 2, 2, 2, 0)
        assert not Hold.objects.exists()


def named_items(*keys: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"dag_id": "d", "dag_run_id": run_id, "task_id": task_id, "map_index": -1} for run_id, task_id in keys]


def test_items_are_named_by_their_ids() -> None:
    fill(runs=2, tasks=3)
    action = order("clear", items=named_items(("r0000", "t0000"), ("r0001", "t0000"), ("r0001", "t0002")))
    assert counts(carry_out(action)) == ("done", 3, 3, 3, 0)
    left = sorted(TaskInstance.objects.filter(state="failed").values_list("run_id", "task_id"))
    assert left == [("r0000", "t0001"), ("r0000", "t0002"), ("r0001", "t0001")]
    assert counts(carry_out(order("mark_success", "dag_runs", items=[{"dag_id": "d", "dag_run_id": "r0001"}])))[1:4] == (1, 1, 1)


# --------------------------------------------------------------------------------------------------------- rights


def person(name: str, group: str) -> User:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    return user


def test_c30a_an_order_reaches_only_the_dags_that_its_giver_may_change() -> None:
    fill(runs=1, tasks=1)
    fill(runs=1, tasks=1, dag_id="hidden")
    ann = person("ann", "User")
    DagRule.objects.create(user=ann, dag_id="d", role=Role.USER)
    action = carry_out(order("clear", giver=giver_of(ann), filters={"state": "failed"}))
    assert counts(action) == ("done", 1, 1, 1, 0)
    assert states(dag_id="hidden") == {"failed": 1}


def test_rights_that_are_lost_meanwhile_refuse_the_items() -> None:
    fill(runs=1, tasks=1)
    fill(runs=1, tasks=1, dag_id="e")
    ann = person("ann", "User")
    rules = [DagRule.objects.create(user=ann, dag_id=dag_id, role=Role.USER) for dag_id in "de"]
    action, duty = order("clear", giver=giver_of(ann), filters={"state": "failed"}), CarryOutBulkActions()
    step(duty)
    rules[0].delete()
    assert counts(carry_out(action)) == ("done", 2, 2, 1, 1)
    assert BulkFailure.objects.get().error == "ann may not change DAG 'd' any more"
    assert states(dag_id="d") == {"failed": 1}


@pytest.mark.parametrize("loss", ["deactivated", "role", "deleted", "token"])
def test_an_order_of_somebody_without_rights_fails(loss: str) -> None:
    fill(runs=1, tasks=PART + 1)
    ann = person("ann", "User")
    token, _ = token_create(ann, "ci", Role.USER, None)
    ann.acting_token = token  # type: ignore[attr-defined]
    action, duty = order("clear", giver=giver_of(ann)), CarryOutBulkActions()
    step(duty, 2)
    if loss == "deactivated":
        User.objects.filter(pk=ann.pk).update(is_active=False)
    elif loss == "role":
        ann.groups.clear()
    elif loss == "deleted":
        User.objects.filter(pk=ann.pk).delete()
    else:
        token_revoke(token)
    assert counts(carry_out(action)) == ("failed", PART + 1, PART, PART, 0)
    assert action.error == "ann may not change DAGs any more"
    assert not Hold.objects.exists()


# ------------------------------------------------------------------------------------------------ stop (C21-b)


def test_c21b_a_clear_that_was_ordered_before_does_not_open_a_stopped_run_again() -> None:
    runs = fill(runs=2, tasks=2, run_state="running")
    action, duty = order("clear", filters={"state": "failed"}), CarryOutBulkActions()
    step(duty)
    with transaction.atomic():
        assert run_stop(runs[0], actor="bob")
    assert counts(carry_out(action)) == ("done", 4, 4, 2, 2)
    assert dict(DagRun.objects.values_list("run_id", "state")) == {"r0000": "failed", "r0001": "running"}
    assert set(BulkFailure.objects.values_list("error", flat=True)) == {
        "the run was ended by bob after this was ordered, so it stays ended"
    }
    assert counts(carry_out(order("clear", filters={"dag_run_id": "r0000"})))[3] == 2  # somebody acts
    assert DagRun.objects.get(run_id="r0000").state == "queued"


@pytest.mark.parametrize("how", ["stop", "mark"])
def test_c21b_a_stopped_run_has_failed_when_its_teardowns_have_ended(how: str) -> None:
    spec = dag("s >> a >> t, s >> t", s={"is_setup": True}, t={"is_teardown": True, "trigger_rule": "all_done_setup_success"})
    run = trigger(spec)
    rounds = Rounds()
    rounds.run()
    rounds.work()  # s is done, a is handed over next
    with transaction.atomic():
        _ = run_stop(run, actor="bob") if how == "stop" else run_set_state(run, "failed", actor="bob")
    rounds.executor.handed.clear()
    rounds.complete()
    run.refresh_from_db()
    found = dict(TaskInstance.objects.values_list("task_id", "state"))
    assert found == {"s": "success", "a": "skipped", "t": "success"}
    # What is only marked is judged by its tasks, as in Airflow.
    assert run.state == ("failed" if how == "stop" else "success")
    assert DagRun.objects.get().stopped_by == ("bob" if how == "stop" else None)


def test_c21b_nothing_late_opens_a_stopped_run_again() -> None:
    run = trigger(spec_of_edges("d", {"a": [], "b": ["a"]}))
    rounds = Rounds()
    rounds.run()
    handed = list(rounds.executor.handed)
    rounds.begin(handed)
    with transaction.atomic():
        run_stop(run, actor="bob")
    before = StateChange.objects.count()
    rounds.executor.handed = handed
    rounds.work("up_for_retry")  # the worker's last word
    rounds.let_due()
    rounds.complete()
    Rounds().complete()
    run.refresh_from_db()
    assert (run.state, states()) == ("failed", {"failed": 1, "skipped": 1})
    assert StateChange.objects.count() == before
    with transaction.atomic():
        assert not run_stop(run, actor="bob")


# --------------------------------------------------------------------------------------------- the duty itself


def test_an_action_whose_part_fails_as_a_whole_is_tried_again_and_then_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any) -> None:
        raise OperationalError("the disk is full")

    fill(runs=1, tasks=1)
    action, duty = order("clear"), CarryOutBulkActions()
    step(duty)
    monkeypatch.setattr(services, "carry_out", away)
    for tried in range(1, services.MOST_TRIES + 1):
        step(duty)
        action.refresh_from_db()
        assert (action.tries, action.error) == (tried, "OperationalError: the disk is full")
        step(duty)  # it waits
        assert BulkAction.objects.get().tries == tried
        BulkAction.objects.update(retry_at=utcnow())
    assert action.state == "failed"
    assert states() == {"failed": 1}


def test_two_actions_go_on_in_turn() -> None:
    fill(runs=1, tasks=3 * PART)
    first, second, duty = (
        order("note", options={"note": "n"}, filters={"dag_id": "d"}),
        order("mark_success"),
        CarryOutBulkActions(),
    )
    step(duty, 6)
    for action in (first, second):
        action.refresh_from_db()
    assert (first.done, second.done) == (2 * PART, 2 * PART)


def test_no_open_action_costs_one_query_a_second(django_assert_num_queries: Any) -> None:
    duty = CarryOutBulkActions()
    with django_assert_num_queries(1):
        for _ in range(3):
            duty.run_once(100)


def item(number: int) -> Item:
    return Item(f"t{number}", -1, "id", None)


def runs_of(sizes: Sequence[int]) -> list[RunItems]:
    return [RunItems(n, "d", f"r{n}", "", tuple(map(item, range(size))), size) for n, size in enumerate(sizes)]


def test_small_runs_share_a_part_and_a_large_one_is_cut() -> None:
    found = [(len(cut.runs), cut.weight, cut.run_part, cut.run_parts) for cut in cuts(runs_of([40, 50, 20, 250, 1]))]
    assert found == [(2, 90, 1, 1), (1, 20, 1, 1), (1, 100, 1, 3), (1, 100, 2, 3), (1, 50, 3, 3), (1, 1, 1, 1)]
