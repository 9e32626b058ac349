"""The scheduler's rounds: what is decided, in which order, and what survives a death."""

from __future__ import annotations

import pytest
from django.db import transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs import transitions
from runs.executors.base import ExecutorEvent
from runs.models import DagRun, RunEvent, StateChange, TaskInstance, TaskInstanceHistory, TaskLease
from runs.services import run_clear, run_trigger
from tests.factories import make_dag
from tests.integration.runs.harness import Rounds, make_due, spec_of_edges, states

pytestmark = pytest.mark.django_db(transaction=True)

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def trigger(spec: DagSpec, **dag_fields: object) -> DagRun:
    dag = make_dag(spec.dag_id, spec, **dag_fields)
    with transaction.atomic():
        return run_trigger(dag=dag)


def test_a_diamond_runs_in_order_and_the_run_succeeds() -> None:
    run = trigger(spec_of_edges("diamond", DIAMOND))
    waves = Rounds().complete()
    run.refresh_from_db()
    assert [sorted(wave) for wave in waves] == [["a"], ["b", "c"], ["d"]]
    assert run.state == "success"
    assert run.end_date is not None
    assert set(states(run).values()) == {"success"}
    assert not RunEvent.objects.exists()
    assert not TaskLease.objects.exists()


def test_every_change_of_state_is_written_beside_it() -> None:
    run = trigger(spec_of_edges("diamond", DIAMOND))
    Rounds().complete()
    of_a = StateChange.objects.filter(dag_run=run, task_id="a").values_list("from_state", "to_state")
    assert list(of_a) == [(None, "scheduled"), ("scheduled", "queued"), ("queued", "running"), ("running", "success")]
    of_run = StateChange.objects.filter(dag_run=run, task_id="").values_list("from_state", "to_state")
    assert list(of_run) == [("queued", "running"), ("running", "success")]


def test_a_failure_fails_what_follows_and_the_run() -> None:
    run = trigger(spec_of_edges("diamond", DIAMOND))
    Rounds().complete(lambda h: "failed" if h.workload["ti"]["task_id"] == "b" else "success")
    run.refresh_from_db()
    assert states(run) == {"a": "success", "b": "failed", "c": "success", "d": "upstream_failed"}
    assert run.state == "failed"
    assert TaskInstance.objects.get(dag_run=run, task_id="d").try_number == 0


def test_an_empty_operator_succeeds_without_a_worker() -> None:
    spec = spec_of_edges("empties", {"a": [], "b": ["a"]})
    spec.tasks[0].is_empty = True
    run = trigger(spec)
    assert Rounds().complete() == [["b"]]
    assert TaskInstance.objects.get(dag_run=run, task_id="a").try_number == 1


def test_a_retry_is_a_new_attempt_with_a_new_id_and_the_old_one_is_kept() -> None:
    run = trigger(DagSpec(dag_id="retries", tasks=[TaskSpec(task_id="t", retries=1, retry_delay=0.0)]))
    rounds = Rounds()
    rounds.run()
    first = rounds.executor.handed[0].ti_id
    rounds.work("up_for_retry")
    make_due(run)
    rounds.run()
    (again,) = rounds.executor.handed
    assert again.ti_id != first
    assert again.workload["ti"]["try_number"] == 2
    rounds.work()
    rounds.run()
    run.refresh_from_db()
    assert run.state == "success"
    history = TaskInstanceHistory.objects.get(dag_run=run)
    assert (history.id, history.try_number, history.state) == (first, 1, "failed")


def test_a_second_scheduler_takes_over_the_runs_of_a_dead_one_in_the_middle() -> None:
    run = trigger(spec_of_edges("diamond", DIAMOND))
    dead = Rounds()
    dead.run()
    dead.work()
    dead.run()
    from orchestrator.processes.services import process_end

    process_end(dead.holdings.scheduler_id)
    heir = Rounds()
    heir.run()
    heir.executor.handed += dead.executor.handed
    heir.work()
    heir.complete()
    run.refresh_from_db()
    assert run.state == "success"
    assert StateChange.objects.filter(dag_run=run, to_state="running", task_id="b").count() == 1


def test_c02a_a_hand_over_that_nobody_began_is_made_again_under_a_new_dispatch_id() -> None:
    run = trigger(spec_of_edges("one", {"t": []}))
    rounds = Rounds()
    rounds.run()
    (lost,) = rounds.executor.handed
    rounds.executor.news = [ExecutorEvent("rejected", lost.ti_id, lost.dispatch_id, "evicted")]
    rounds.executor.handed = []
    rounds.run()
    (again,) = rounds.executor.handed
    assert again.ti_id == lost.ti_id
    assert again.dispatch_id != lost.dispatch_id
    rounds.begin([lost])
    assert states(run) == {"t": "queued"}
    rounds.work()
    rounds.run()
    assert states(run) == {"t": "success"}
    assert TaskInstance.objects.get(dag_run=run).try_number == 1


def test_c25a_an_attempt_lost_to_the_infrastructure_uses_no_retry_of_the_author() -> None:
    run = trigger(DagSpec(dag_id="lost", tasks=[TaskSpec(task_id="t", retries=0)]))
    rounds = Rounds()
    rounds.run()
    (handed,) = rounds.executor.handed
    rounds.executor.handed = []
    rounds.begin([handed])
    rounds.executor.news = [ExecutorEvent("lost", handed.ti_id, handed.dispatch_id, "supervisor_died")]
    rounds.run()
    assert states(run) == {"t": "up_for_retry"}
    TaskInstance.objects.update(retry_at=utcnow())
    rounds.holdings.stale.add(run.pk)
    rounds.complete()
    ti = TaskInstance.objects.get(dag_run=run)
    assert (ti.state, ti.try_number, ti.max_tries, ti.infra_tries) == ("success", 2, 1, 1)


def test_an_attempt_lost_too_often_fails() -> None:
    run = trigger(DagSpec(dag_id="lost", tasks=[TaskSpec(task_id="t", retries=0)]))
    TaskInstance.objects.all()
    rounds = Rounds()
    for _ in range(4):
        rounds.run()
        (handed,) = rounds.executor.handed
        rounds.executor.handed = []
        rounds.begin([handed])
        rounds.executor.news = [ExecutorEvent("lost", handed.ti_id, handed.dispatch_id, "supervisor_died")]
        rounds.run()
        TaskInstance.objects.update(retry_at=utcnow())
        rounds.holdings.stale.add(run.pk)
    assert states(run) == {"t": "failed"}


def test_max_active_tasks_limits_one_run_and_not_another() -> None:
    wide = {f"t{i}": [] for i in range(5)}
    trigger(spec_of_edges("narrow", wide, max_active_tasks=2))
    trigger(spec_of_edges("other", wide, max_active_tasks=16))
    rounds = Rounds()
    rounds.run()
    by_dag = [h.workload["ti"]["dag_id"] for h in rounds.executor.handed]
    assert by_dag.count("narrow") == 2
    assert by_dag.count("other") == 5


def test_c08b_ten_queued_runs_at_the_limit_of_their_dag_do_not_hold_up_another_dag() -> None:
    dag = make_dag("a", spec_of_edges("a", {"t": []}), max_active_runs=1)
    with transaction.atomic():
        for _ in range(10):
            run_trigger(dag=dag)
    trigger(spec_of_edges("b", {"t": []}))
    rounds = Rounds()
    rounds.run()
    assert sorted(h.workload["ti"]["dag_id"] for h in rounds.executor.handed) == ["a", "b"]


def test_a_paused_dag_begins_nothing_and_goes_on_when_unpaused() -> None:
    run = trigger(spec_of_edges("paused", {"t": []}), is_paused=True)
    rounds = Rounds()
    rounds.run()
    assert not rounds.executor.handed
    run.dag.is_paused = False
    run.dag.save()
    rounds.complete()
    run.refresh_from_db()
    assert run.state == "success"


def test_a_cleared_run_runs_again_from_the_start() -> None:
    run = trigger(spec_of_edges("again", {"a": [], "b": ["a"]}))
    rounds = Rounds()
    rounds.complete()
    run.refresh_from_db()
    with transaction.atomic():
        run_clear(run, actor="admin")
    assert rounds.complete() == [["a"], ["b"]]
    run.refresh_from_db()
    assert run.state == "success"
    assert TaskInstance.objects.get(dag_run=run, task_id="a").try_number == 2
    assert TaskInstanceHistory.objects.filter(dag_run=run).count() == 2


def test_clearing_a_running_task_stops_its_worker_and_refuses_its_report() -> None:
    run = trigger(spec_of_edges("clear", {"t": []}))
    rounds = Rounds()
    rounds.run()
    (handed,) = rounds.executor.handed
    rounds.begin([handed])
    with transaction.atomic():
        transitions.clear([handed.ti_id], now=utcnow(), actor="admin")
    rounds.work()
    assert states(run) == {"t": None}
    rounds.run()
    assert rounds.executor.revoked == [handed.ti_id]
    assert not rounds.executor.handed
    ti = TaskInstance.objects.get(dag_run=run)
    assert (ti.state, ti.wait_reason) == ("scheduled", "previous_attempt")
    rounds.executor.news.append(ExecutorEvent("lost", handed.ti_id, handed.dispatch_id, "report_lost"))
    rounds.complete()
    assert states(run) == {"t": "success"}
    assert not TaskLease.objects.exists()


def test_c21a_a_cleared_task_starts_anew_at_the_latest_when_the_lease_of_its_old_process_is_over() -> None:
    run = trigger(spec_of_edges("clear", {"t": []}))
    rounds = Rounds()
    rounds.run()
    (handed,) = rounds.executor.handed
    rounds.begin([handed])
    with transaction.atomic():
        transitions.clear([handed.ti_id], now=utcnow(), actor="admin")
    rounds.run()
    rounds.executor.handed.clear()
    rounds.let_due()
    rounds.complete()
    assert states(run) == {"t": "success"}
    old = TaskInstanceHistory.objects.get(dag_run=run)
    assert (old.id, old.cause) == (handed.ti_id, "cleared")


def test_c21a_another_scheduler_takes_over_the_wait_for_the_old_process() -> None:
    run = trigger(spec_of_edges("clear", {"t": []}))
    rounds = Rounds()
    rounds.run()
    (handed,) = rounds.executor.handed
    rounds.begin([handed])
    with transaction.atomic():
        transitions.clear([handed.ti_id], now=utcnow(), actor="admin")
    rounds.run()
    DagRun.objects.update(scheduler_id=None)
    other = Rounds()
    other.run()
    assert not other.executor.handed
    rounds.executor.news.append(ExecutorEvent("lost", handed.ti_id, handed.dispatch_id, "report_lost"))
    rounds.run()
    other.complete()
    assert states(run) == {"t": "success"}


def test_c04a_a_dag_whose_document_is_rubbish_is_set_aside_and_the_others_go_on() -> None:
    from dags_app.models import Dag, DagVersion

    bad = trigger(spec_of_edges("bad", {"t": []}))
    DagVersion.objects.filter(dag_id="bad").update(document="\x01\ufffd{not json", structure_hash="other")
    good = trigger(spec_of_edges("good", {"t": []}))
    Rounds().complete()
    good.refresh_from_db()
    bad.refresh_from_db()
    assert good.state == "success"
    assert "cannot be read" in bad.scheduling_error
    assert "cannot be read" in Dag.objects.get(pk="bad").scheduling_error


def test_depends_on_past_waits_for_the_run_before() -> None:
    from datetime import timedelta

    from tests.factories import NOON

    spec = DagSpec(dag_id="past", tasks=[TaskSpec(task_id="t", depends_on_past=True)])
    dag = make_dag("past", spec)
    with transaction.atomic():
        first = run_trigger(dag=dag, logical_date=NOON)
        second = run_trigger(dag=dag, logical_date=NOON + timedelta(days=1))
    rounds = Rounds()
    rounds.run()
    assert [h.workload["ti"]["run_id"] for h in rounds.executor.handed] == [first.run_id]
    rounds.work()
    rounds.complete()
    assert states(second) == {"t": "success"}


def test_a_run_takes_what_a_policy_chose_for_its_kind() -> None:
    by_kind = {"manual": {"queue": "people", "retries": 0, "by_try": []}, "backfill": {"queue": "slow"}}
    spec = DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t", retries=2, by_run_type=by_kind)])
    trigger(spec)
    Rounds().run()
    row = TaskInstance.objects.get()
    assert (row.queue, row.max_tries, row.state) == ("people", 0, "queued")
