"""Several schedulers, and people, on the same bulk actions: each item is done once, and nothing after a cancel (C13-b)."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import transaction

from orchestrator.kernel.clock import utcnow
from runs.bulk.parts import PART
from runs.bulk.services import NotOpenError, bulk_cancel
from runs.models import BulkAction, BulkPart, DagRun, Hold, StateChange, TaskInstance, TaskInstanceHistory
from runs.scheduler.carry_out_bulk_actions import CarryOutBulkActions
from runs.services_mark import run_stop
from tests.concurrency.at_once import deadlocks
from tests.concurrency.test_schedulers_at_once import together
from tests.integration.runs.test_bulk_actions import fill, order

pytestmark = pytest.mark.django_db(transaction=True)


def to_the_end() -> None:
    """One scheduler's duty until nothing is open; a moment in which others have the rows is no end."""
    duty = CarryOutBulkActions()
    while BulkAction.objects.filter(state__in=("queued", "running")).exists():
        duty._look_at = 0.0
        duty.run_once(100)


def test_c13b_three_schedulers_do_each_item_of_two_actions_once() -> None:
    before = deadlocks()
    fill(runs=3, tasks=PART + 10, dag_id="d")
    fill(runs=40, tasks=10, dag_id="e")
    actions = [order("clear", filters={"dag_id": dag_id}) for dag_id in "de"]
    together(*(to_the_end for _ in range(3)))
    for action, number in zip(actions, (3 * (PART + 10), 400), strict=True):
        action.refresh_from_db()
        assert (action.state, action.total, action.done, action.changed, action.failed) == ("done", number, number, number, 0)
    cleared = Counter(StateChange.objects.filter(cause="cleared").values_list("dag_run", "task_id"))
    assert set(cleared.values()) == {1}
    assert len(cleared) == TaskInstanceHistory.objects.count() == 3 * (PART + 10) + 400
    assert (BulkPart.objects.count(), Hold.objects.count()) == (0, 0)
    assert set(DagRun.objects.values_list("state", "clear_number")) == {("queued", 1)}
    assert deadlocks() == before


def test_a_cancel_and_a_stop_at_once_with_the_work_leave_one_truth() -> None:
    before = deadlocks()
    runs = fill(runs=4, tasks=PART, run_state="running")
    action = order("clear", filters={"state": "failed"})

    def cancel() -> None:
        with transaction.atomic():
            try:
                bulk_cancel(action, now=utcnow())
            except NotOpenError:
                return

    def stop() -> None:
        with transaction.atomic():
            run_stop(DagRun.objects.get(pk=runs[-1].pk), actor="bob")

    together(to_the_end, stop, cancel, to_the_end)
    action.refresh_from_db()
    assert action.state in ("cancelled", "done")
    assert TaskInstance.objects.filter(state=None).count() + action.failed <= action.done
    assert (BulkPart.objects.count(), Hold.objects.count()) == (0, 0)
    assert DagRun.objects.get(pk=runs[-1].pk).state == "failed"
    assert deadlocks() == before
