"""A scheduler that is killed in the middle of a bulk action: the next one ends it, and each item is done once (C13-b)."""

from tests.faults.platform import Platform
from tests.waiting import wait_until

ITEMS = 1000
# The DAG is paused, so that only the action works on its rows.
ORDER = """
from django.db import transaction
from accounts.later import Authority, Giver
from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from runs.bulk.requests import read_order
from runs.bulk.services import bulk_order
from tests.integration.runs.test_bulk_actions import fill

fill(runs=4, tasks=250)
Dag.objects.update(is_paused=True)
with transaction.atomic():
    order = read_order("task_instances", "clear", {"state": "failed"}, None, None)
    bulk_order(order, Giver("ops", Authority.COMMAND_LINE), door="cli", now=utcnow())
"""
KILLS = "bulk.freezing:kill:1,bulk.before_commit:kill:3,bulk.after_commit:kill:6"


def test_a_scheduler_killed_at_three_points_of_a_bulk_action_does_each_item_once(platform: Platform) -> None:
    platform.deployment.run("shell", "-c", ORDER)
    platform.arm(KILLS)
    platform.keep("scheduler")
    ended = "SELECT state, total, done, changed, failed FROM runs_bulkaction WHERE ended_at IS NOT NULL"
    rows = wait_until(lambda: platform.rows(ended), 200, what="the bulk action to end", interval=0.2)
    assert platform.happened() == {"bulk.freezing", "bulk.before_commit", "bulk.after_commit"}
    assert rows == [("done", ITEMS, ITEMS, ITEMS, 0)]
    cleared = "SELECT dag_run_id, task_id, COUNT(*) FROM runs_statechange WHERE cause = 'cleared' GROUP BY 1, 2"
    assert [number for *_, number in platform.rows(cleared)] == [1] * ITEMS
    assert platform.rows("SELECT COUNT(*) FROM accounts_auditlog WHERE task_id IS NOT NULL") == [(ITEMS,)]
    assert platform.rows("SELECT COUNT(*) FROM runs_hold") == platform.rows("SELECT COUNT(*) FROM runs_bulkpart") == [(0,)]
    assert set(platform.rows("SELECT state, clear_number FROM runs_dagrun")) == {("queued", 1)}
