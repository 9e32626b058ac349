"""C08-d: in a pool that ages, waiting raises the priority; in others nothing changes and costs nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from runs.models import Pool, TaskInstance
from tests.integration.runs.harness import Rounds, trigger
from tests.specs import dag

pytestmark = pytest.mark.django_db

LOW = {"pool": "p", "priority_weight_total": 1}
HIGH = {"pool": "p", "priority_weight_total": 10}


def first_of(*, waited: float, ageing: float | None, restarted: bool = False, high_pool: str = "p") -> str:
    """Let ``low`` wait for so many seconds, ``high`` for none; return who gets the one slot."""
    Pool.objects.create(pool="p", slots=0, ageing_seconds=ageing)
    Pool.objects.get_or_create(pool=high_pool, defaults={"slots": 0})
    trigger(dag("low, high", low=LOW, high={**HIGH, "pool": high_pool}))
    rounds = Rounds()
    rounds.run()
    TaskInstance.objects.filter(task_id="low").update(scheduled_dttm=utcnow() - timedelta(seconds=waited))
    if restarted:
        rounds.end()
        rounds = Rounds()
    else:
        rounds.holdings.stale |= set(rounds.holdings.runs)
    Pool.objects.update(slots=1)
    rounds.run(3)
    return str(rounds.executor.handed[0].workload["ti"]["task_id"])


@pytest.mark.parametrize(("waited", "winner"), [(80, "high"), (100, "low")])
def test_c08d_a_low_priority_wins_once_its_wait_is_worth_the_difference(waited: float, winner: str) -> None:
    assert first_of(waited=waited, ageing=10.0) == winner


def test_c08d_without_ageing_a_low_priority_waits_for_ever() -> None:
    assert first_of(waited=10_000, ageing=None) == "high"


def test_c08d_the_wait_outlives_the_scheduler() -> None:
    assert first_of(waited=100, ageing=10.0, restarted=True) == "low"


@pytest.mark.parametrize(("waited", "winner"), [(50, "high"), (200, "low")])
def test_c08d_against_another_pool_the_wait_until_now_counts(waited: float, winner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "1")
    conf.reload()
    try:
        assert first_of(waited=waited, ageing=10.0, high_pool="q") == winner
    finally:
        monkeypatch.undo()
        conf.reload()


def test_c08d_ageing_that_is_switched_on_or_off_places_everybody_anew() -> None:
    Pool.objects.create(pool="p", slots=0)
    trigger(dag("low, high", low=LOW, high=HIGH))
    rounds = Rounds()
    rounds.run()
    TaskInstance.objects.filter(task_id="low").update(scheduled_dttm=utcnow() - timedelta(seconds=500))
    Pool.objects.filter(pool="p").update(ageing_seconds=10)
    rounds.run()
    Pool.objects.filter(pool="p").update(slots=1)
    rounds.run()
    assert rounds.work() == ["low"]
    Pool.objects.filter(pool="p").update(ageing_seconds=None)
    rounds.run()
    assert rounds.work() == ["high"]


def test_c08d_a_pool_without_ageing_costs_no_query_more() -> None:
    Pool.objects.create(pool="p", slots=0)
    trigger(dag("a, b", a=LOW, b=LOW))
    rounds = Rounds()
    rounds.run()
    duty = next(entry.duty for entry in rounds.service._scheduled if entry.duty.name == "queue_tasks")
    with CaptureQueriesContext(
        connection,
    ) as found:
        duty.run_once(10)
    assert not [query for query in found.captured_queries if "scheduled_dttm" in query["sql"]]


@pytest.mark.parametrize("seconds", [0, -1])
def test_c08d_ageing_takes_a_time_above_zero(seconds: float) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Pool.objects.create(pool="p", ageing_seconds=seconds)
