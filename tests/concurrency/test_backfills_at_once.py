"""Two people order a backfill of the same DAG, or cancel while a scheduler begins runs: one truth remains (C22)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.definitions.timetables import CronTriggerTimetable, encode_timetable
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.backfills.plan import Order
from runs.backfills.refusals import BackfillOpenError
from runs.backfills.services import backfill_cancel, backfill_create
from runs.models import Backfill, DagRun
from runs.scheduler.holdings import Holdings
from runs.scheduler.start_backfills import _claim
from tests.concurrency.at_once import at_once, deadlocks
from tests.factories import make_dag

pytestmark = pytest.mark.django_db(transaction=True)

ORDER = Order(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 9, tzinfo=UTC), max_active_runs=3)
DAILY = DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t")], timetable=encode_timetable(CronTriggerTimetable("@daily", "UTC")))


@pytest.mark.parametrize("_", range(3))
def test_of_two_orders_at_once_one_wins_and_the_other_is_told(_: int) -> None:
    dag = make_dag("d", DAILY)

    def act() -> str:
        try:
            return f"backfill {backfill_create(dag, ORDER, user_name='ann').pk}"
        except BackfillOpenError:
            return "open"

    answers = sorted(at_once(act, act))
    assert answers == [f"backfill {Backfill.objects.get().pk}", "open"]
    assert DagRun.objects.count() == 9


@pytest.mark.parametrize("_", range(3))
def test_a_cancel_while_runs_begin_leaves_no_unfinished_run_in_it(_: int) -> None:
    """C22-a."""
    from django.db import transaction

    dag, before = make_dag("d", DAILY), deadlocks()
    with transaction.atomic():
        backfill = backfill_create(dag, ORDER, user_name="ann")
    at_once(
        lambda: bool(_claim(backfill, 100, Holdings(new_id()), utcnow())),
        lambda: backfill_cancel(backfill, actor="ann").is_paused,
    )
    assert not DagRun.objects.unfinished().filter(backfill__isnull=False).exists()
    assert DagRun.objects.filter(state="running").count() in (0, 3) and not DagRun.objects.filter(state="queued").exists()
    assert deadlocks() == before
