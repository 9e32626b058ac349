"""Pools, priorities and caps, and what many waiting runs cost (C08)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from orchestrator.kernel.clock import utcnow
from orchestrator.processes.services import process_register
from runs.models import DagRun, Pool, TaskInstance
from runs.services import run_trigger
from tests.factories import make_dag, make_run, make_ti
from tests.integration.runs.harness import Rounds, spec_of_edges, states, trigger
from tests.specs import dag as dag_of
from tests.specs import mapped

pytestmark = pytest.mark.django_db(transaction=True)

WIDE = {f"t{i}": [] for i in range(6)}


def handed(rounds: Rounds) -> list[str]:
    return [h.workload["ti"]["task_id"] for h in rounds.executor.handed]


def pooled(pool: str, **fields: Any) -> dict[str, Any]:
    return {"pool": pool, **fields}


@pytest.mark.parametrize(("slots", "number"), [(0, 0), (2, 2), (-1, 6)])
def test_a_pool_gives_as_many_slots_as_it_has(slots: int, number: int) -> None:
    Pool.objects.create(pool="p", slots=slots)
    trigger(dag_of("a, b, c, d, e, f", **{name: pooled("p") for name in "abcdef"}))
    rounds = Rounds()
    rounds.run()
    assert len(handed(rounds)) == number


def test_a_task_takes_as_many_slots_as_it_says() -> None:
    Pool.objects.create(pool="p", slots=4)
    trigger(dag_of("a, b, c", **{name: pooled("p", pool_slots=2) for name in "abc"}))
    rounds = Rounds()
    rounds.run()
    assert len(handed(rounds)) == 2


def test_freed_slots_are_given_in_the_same_round() -> None:
    Pool.objects.create(pool="p", slots=1)
    trigger(dag_of("a, b, c", **{name: pooled("p") for name in "abc"}))
    assert Rounds().complete() == [["a"], ["b"], ["c"]]


@pytest.mark.parametrize(("counts", "number"), [(True, 0), (False, 1)])
def test_c08f_a_deferred_task_holds_its_slot_where_its_pool_says_so(counts: bool, number: int) -> None:
    Pool.objects.create(pool="p", slots=1, include_deferred=counts)
    make_ti(make_run(make_dag("waits")), state="deferred", pool="p")
    trigger(dag_of("a", a=pooled("p")))
    rounds = Rounds()
    rounds.run()
    assert len(handed(rounds)) == number


def test_an_unknown_pool_holds_its_task_and_no_other() -> None:
    run = trigger(dag_of("a, b", a=pooled("nowhere")))
    rounds = Rounds()
    rounds.run()
    assert states(run) == {"a": "scheduled", "b": "queued"}
    Pool.objects.create(pool="nowhere", slots=1)
    rounds.run()
    assert states(run) == {"a": "queued", "b": "queued"}


def test_the_highest_priority_gets_the_slot() -> None:
    Pool.objects.update(slots=1)
    weights = {"low": 1, "high": 9, "middle": 5}
    trigger(dag_of("low, high, middle", **{name: {"priority_weight_total": number} for name, number in weights.items()}))
    assert Rounds().complete() == [["high"], ["middle"], ["low"]]


def test_a_cap_per_run_counts_in_each_run_and_a_cap_per_dag_in_all() -> None:
    limits = {"m": {**mapped(length=4), "max_active_tis_per_dagrun": 2}, "n": {**mapped(length=4), "max_active_tis_per_dag": 3}}
    dag = make_dag("d", dag_of("m, n", **limits))
    with transaction.atomic():
        runs = [run_trigger(dag=dag) for _ in range(2)]
    rounds = Rounds()
    rounds.run()
    by_run = [
        [h.workload["ti"]["task_id"] for h in rounds.executor.handed if h.workload["ti"]["run_id"] == r.run_id] for r in runs
    ]
    assert [tasks.count("m") for tasks in by_run] == [2, 2]
    assert sum(tasks.count("n") for tasks in by_run) == 3
    rounds.complete()
    assert set(DagRun.objects.values_list("state", flat=True)) == {"success"}


def test_parallelism_counts_for_each_scheduler_alone() -> None:
    from orchestrator.config import conf

    other = process_register("scheduler")
    owner = process_register("supervisor", detail={"scheduler": str(other.pk)})
    run = make_run(make_dag("busy"), scheduler_id=other.pk)
    for number in range(int(conf.get("core", "parallelism"))):
        make_ti(run, f"t{number}", state="running", queued_by=owner.pk)
    trigger(dag_of("a"))
    rounds = Rounds()
    rounds.run()
    assert handed(rounds) == ["a"]
    from orchestrator.processes.services import process_end

    process_end(other.pk)
    trigger(spec_of_edges("e", {"b": []}))
    rounds.executor.handed = []
    TaskInstance.objects.filter(dag_run=run).update(queued_by=rounds.executor.owner_id)
    rounds.run()
    assert handed(rounds) == []


def queued_runs(dag_id: str, number: int) -> None:
    dag = make_dag(dag_id, spec_of_edges(dag_id, {"t": []}), max_active_runs=1)
    now = utcnow()
    DagRun.objects.bulk_create(
        DagRun(
            dag=dag,
            run_id=f"r{i}",
            run_type="manual",
            state="queued",
            run_after=now,
            created_dag_version_id=dag.latest_version_id,
        )
        for i in range(number)
    )


def test_c08b_ten_thousand_queued_runs_do_not_hold_up_another_dag() -> None:
    queued_runs("a", 10_000)
    trigger(spec_of_edges("b", {"t": []}))
    rounds = Rounds()
    rounds.run(most=2)
    assert sorted(h.workload["ti"]["dag_id"] for h in rounds.executor.handed) == ["a", "b"]


def test_a_long_backlog_without_a_cap_shares_the_starts_with_other_dags() -> None:
    queued_runs("a", 300)
    queued_runs("b", 1)
    from dags_app.models import Dag
    from runs.scheduler.start_runs import StartRuns

    Dag.objects.filter(pk="a").update(max_active_runs=None)
    StartRuns(Rounds().holdings).run_once(10)
    assert DagRun.objects.filter(dag_id="b", state="running").count() == 1


def test_i7_a_round_costs_the_same_for_one_task_and_for_fifty() -> None:
    def cost(dag_id: str, number: int) -> int:
        trigger(spec_of_edges(dag_id, {f"t{i}": [] for i in range(number)}, max_active_tasks=100))
        rounds = Rounds()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            rounds.run()
        rounds.complete()
        return len(queries)

    def cheapest(name: str, number: int) -> int:
        """What duties ask from time to time comes on top now and then, so the least of some rounds counts."""
        return min(cost(f"{name}_{turn}", number) for turn in range(3))

    Pool.objects.update(slots=-1)
    first = cheapest("first", 1)
    assert cheapest("one", 1) <= first
    assert cheapest("many", 30) <= first + 3
