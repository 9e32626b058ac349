"""Several schedulers on one database: caps hold, nothing is made twice, every run ends (C08-c, C33)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connections, transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.processes.services import process_beat
from orchestrator.sdk.serialization.spec import DagSpec
from runs.models import DagRun, Pool, StateChange, TaskInstance
from runs.scheduler.claim_runs import ClaimRuns
from runs.scheduler.create_runs import CreateRuns
from runs.scheduler.queue_tasks import QueueTasks
from runs.scheduler.start_runs import StartRuns
from runs.services import run_trigger
from tests.concurrency.at_once import LONG_SECONDS, at_once, deadlocks
from tests.factories import NOON, make_dag
from tests.integration.runs.harness import Rounds, spec_of_edges, trigger

pytestmark = pytest.mark.django_db(transaction=True)

WIDE = {f"t{i}": [] for i in range(6)}


def together(*acts: object) -> None:
    """Duties open their own transactions, so they run without one around them."""
    from concurrent.futures import ThreadPoolExecutor

    def run(act: object) -> None:
        try:
            act()  # type: ignore[operator]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        for future in [pool.submit(run, act) for act in acts]:
            future.result(LONG_SECONDS)


@pytest.mark.parametrize("slots", [1, 4, 7])
def test_c08c_two_schedulers_never_take_more_slots_than_a_pool_has(slots: int) -> None:
    Pool.objects.filter(pool="default_pool").update(slots=slots)
    one, two = Rounds(), Rounds()
    for number, rounds in enumerate((one, two)):
        trigger(spec_of_edges(f"d{number}", WIDE))
        StartRuns(rounds.holdings).run_once(10)
        for duty in rounds.service.duties:
            if duty.name == "advance_runs":
                duty.run_once(100)
    together(
        *(lambda r=r: QueueTasks(r.holdings, r.executors).run_once(100) for r in (one, two)),
    )
    assert TaskInstance.objects.filter(state="queued").count() == slots


@pytest.mark.parametrize("most", [1, 3])
def test_c08b_two_schedulers_never_start_more_runs_than_allowed(most: int) -> None:
    dag = make_dag("d", spec_of_edges("d", {"t": []}), max_active_runs=most)
    with transaction.atomic():
        for _ in range(8):
            run_trigger(dag=dag)
    one, two = Rounds(), Rounds()
    together(*(lambda r=r: StartRuns(r.holdings).run_once(100) for r in (one, two)))
    assert DagRun.objects.filter(state="running").count() == most
    assert len(one.holdings.runs) + len(two.holdings.runs) == most
    assert not one.holdings.runs.keys() & two.holdings.runs.keys()


def test_two_schedulers_create_a_run_once() -> None:
    spec = DagSpec(dag_id="d", timetable={"type": "DeltaDataIntervalTimetable", "delta": 60.0}, catchup=False)
    spec.tasks = spec_of_edges("d", {"t": []}).tasks
    make_dag(
        "d",
        spec,
        next_dagrun_create_after=NOON,
        next_dagrun_logical_date=NOON - timedelta(minutes=1),
        next_dagrun_data_interval_start=NOON - timedelta(minutes=1),
        next_dagrun_data_interval_end=NOON,
    )
    one, two = Rounds(), Rounds()
    together(*(lambda r=r: CreateRuns(r.holdings).run_once(100) for r in (one, two)))
    logical = Counter(DagRun.objects.values_list("logical_date", flat=True))
    assert logical[NOON - timedelta(minutes=1)] == 1
    assert max(logical.values()) == 1


def test_c33a_two_schedulers_that_find_the_runs_of_a_dead_one_share_them_without_overlap() -> None:
    dead = Rounds()
    for number in range(6):
        trigger(spec_of_edges(f"d{number}", {"t": []}))
    dead.run()
    dead.end()
    one, two = Rounds(), Rounds()
    together(*(lambda r=r: ClaimRuns(r.holdings).run_once(100) for r in (one, two)))
    held = [set(one.holdings.runs), set(two.holdings.runs)]
    assert not held[0] & held[1]
    assert len(held[0] | held[1]) == 6
    for rounds in (one, two):
        assert set(DagRun.objects.filter(scheduler_id=rounds.holdings.scheduler_id).values_list("pk", flat=True)) == set(
            rounds.holdings.runs
        )


def test_c33b_three_schedulers_at_once_end_every_run_and_begin_every_attempt_once() -> None:
    before = deadlocks()
    for number in range(9):
        trigger(spec_of_edges(f"d{number}", {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}))
    schedulers = [Rounds() for _ in range(3)]
    for _ in range(12):
        for scheduler in schedulers:  # as each does itself: who is silent for a minute is taken for dead
            assert process_beat(scheduler.holdings.scheduler_id)
        together(*(lambda r=r: (r.run(), r.work()) for r in schedulers))
        if not DagRun.objects.exclude(state="success").exists():
            break
    assert set(DagRun.objects.values_list("state", flat=True)) == {"success"}
    started = Counter(StateChange.objects.filter(to_state="running").exclude(task_id="").values_list("ti_id", flat=True))
    assert len(started) == 36
    assert set(started.values()) == {1}
    assert deadlocks() == before
    assert sum(r.holdings.corrections for r in schedulers) == 0
    assert utcnow() is not None


def test_a_race_of_transactions_reports_its_results_in_order() -> None:
    assert at_once(lambda: 1, lambda: 2) == [1, 2]
