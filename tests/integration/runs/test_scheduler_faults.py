"""A write that fails, a row that is rubbish, a death between two commits: nothing is forgotten and nothing else suffers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs import transitions
from runs.executors.base import ExecutorEvent
from runs.models import DagRun, RunEvent, TaskInstance
from runs.run_nodes import InstanceState
from runs.scheduler import clone_rows
from runs.scheduler import load_run as loading
from runs.services import run_clear, run_set_state, task_instances_clear
from tests.factories import make_dag
from tests.integration.runs.harness import Rounds, spec_of_edges, states, trigger
from tests.specs import dag as dag_of
from tests.specs import mapped

pytestmark = pytest.mark.django_db(transaction=True)


def fail_once(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, error: Exception) -> None:
    """Let the next call of a function fail, and only that one."""
    real: Callable[..., Any] = getattr(place, name)

    def once(*args: Any, **values: Any) -> Any:
        monkeypatch.setattr(place, name, real)
        raise error

    monkeypatch.setattr(place, name, once)


def round_that_may_fail(rounds: Rounds) -> None:
    """One round with every duty due; failures are forgiven."""
    for entry in rounds.service._scheduled:
        entry.due_at, entry.failures = 0.0, 0
    rounds.holdings.may_start_runs = True
    rounds.service.run_due()
    for entry in rounds.service._scheduled:
        entry.failures = 0


LOST = OperationalError("connection lost")


def test_candidates_whose_hand_over_fails_to_commit_stay_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trigger(spec_of_edges("one", {"t": []}))
    rounds = Rounds()
    fail_once(monkeypatch, transitions, "queue", LOST)
    round_that_may_fail(rounds)
    assert states(run) == {"t": "scheduled"}
    rounds.run()
    assert states(run) == {"t": "queued"}


def test_a_due_retry_whose_write_fails_is_due_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trigger(DagSpec(dag_id="retries", tasks=[TaskSpec(task_id="t", retries=1, retry_delay=0.0)]))
    rounds = Rounds()
    rounds.run()
    rounds.work("up_for_retry")
    fail_once(monkeypatch, transitions, "schedule", LOST)
    round_that_may_fail(rounds)
    assert states(run) == {"t": "up_for_retry"}
    rounds.complete()
    assert states(run) == {"t": "success"}


def test_a_retry_that_may_not_run_when_it_is_due_runs_later() -> None:
    run = trigger(dag_of("a >> b", b={"retries": 1, "retry_delay": 0.0}))
    rounds = Rounds()
    rounds.run()
    rounds.work()
    rounds.run()
    (b,) = rounds.executor.handed
    rounds.begin([b])
    a = TaskInstance.objects.get(task_id="a")
    with transaction.atomic():
        task_instances_clear(run, [a.pk], actor="admin")
    rounds.executor.handed = [b]
    rounds.run()
    handed, rounds.executor.handed = [h for h in rounds.executor.handed if h.workload["ti"]["task_id"] == "a"], [b]
    rounds.work("up_for_retry")
    rounds.run()
    assert states(run) == {"a": "queued", "b": "up_for_retry"}
    rounds.executor.handed = handed
    rounds.work()
    rounds.let_due()
    rounds.complete()
    assert states(run) == {"a": "success", "b": "success"}


def test_an_overdue_run_is_ended_although_the_first_write_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trigger(spec_of_edges("slow", {"t": []}, dagrun_timeout=1000.0))
    rounds = Rounds()
    rounds.run()
    rounds.age(run, 2000)
    fail_once(monkeypatch, transitions, "finish_run", LOST)
    round_that_may_fail(rounds)
    rounds.run()
    run.refresh_from_db()
    assert run.state == "failed"


def test_the_workers_of_the_only_run_are_stopped_when_it_times_out() -> None:
    run = trigger(spec_of_edges("slow", {"t": []}, dagrun_timeout=1000.0))
    rounds = Rounds()
    rounds.run()
    (handed,) = rounds.executor.handed
    rounds.begin([handed])
    rounds.age(run, 2000)
    rounds.run()
    assert states(run) == {"t": "skipped"}
    rounds.run()
    assert rounds.executor.revoked == [handed.ti_id]
    assert not RunEvent.objects.exists()


def test_a_run_that_is_cleared_gets_its_whole_time_again() -> None:
    run = trigger(spec_of_edges("slow", {"t": []}, dagrun_timeout=1000.0))
    rounds = Rounds()
    rounds.run()
    first = rounds.holdings.runs[run.pk].deadline
    rounds.work()
    rounds.run()
    with transaction.atomic():
        run_clear(run, actor="admin")
    rounds.run()
    assert first is not None
    assert rounds.holdings.pop_overdue(first) == []


def test_news_that_cannot_be_taken_in_has_its_run_read_again_and_loses_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = trigger(spec_of_edges("bad", {"a": [], "b": ["a"]}))
    good = trigger(spec_of_edges("good", {"a": [], "b": ["a"]}))
    rounds = Rounds()
    rounds.run()
    rounds.work()

    monkeypatch.setattr(type(rounds.holdings.runs[bad.pk].graph), "apply", _broken_for(rounds.holdings.runs[bad.pk].graph))
    rounds.run()
    assert states(good) == states(bad) == {"a": "success", "b": "queued"}


def _broken_for(graph: Any) -> Callable[[Any, Any], None]:
    real = type(graph).apply

    def apply(self: Any, changes: Any) -> None:
        if self is graph:
            raise KeyError("rubbish")
        real(self, changes)

    return apply


def test_a_run_whose_tasks_come_back_to_life_while_it_ends_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person clears a task between the last read of the news and the end of the run."""
    run = trigger(spec_of_edges("pair", {"a": [], "b": ["a"]}))
    rounds = Rounds()
    rounds.run()
    rounds.work()
    rounds.run()
    rounds.work()
    real = transitions.finish_run
    a = TaskInstance.objects.get(task_id="a")

    def clear_first(*args: Any, **values: Any) -> Any:
        monkeypatch.setattr(transitions, "finish_run", real)
        task_instances_clear(run, [a.pk], actor="admin")
        return real(*args, **values)

    monkeypatch.setattr(transitions, "finish_run", clear_first)
    rounds.run()
    run.refresh_from_db()
    assert run.state == "running"
    rounds.complete()
    run.refresh_from_db()
    assert (run.state, states(run)) == ("success", {"a": "success", "b": "success"})


def test_a_death_in_the_middle_of_an_expansion_makes_no_index_disappear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clone_rows, "CHUNK", 2)
    run = trigger(dag_of("a >> m", m=mapped(over="a")))
    rounds = Rounds()
    rounds.run()
    rounds.push_result(run, "a", 7)
    rounds.work()
    real, calls = clone_rows._copy, []

    def dies(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(clone_rows, "_copy", dies)
    with pytest.raises(KeyboardInterrupt):
        rounds.run()
    monkeypatch.undo()
    rounds.end()
    heir = Rounds()
    heir.complete()
    assert sum(name.startswith("m[") for name in states(run)) == 7
    assert set(states(run).values()) == {"success"}


def test_a_death_while_rows_are_made_makes_no_index_disappear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "CHUNK", 2)
    run = trigger(dag_of("m", m=mapped(length=7)))
    rounds = Rounds()
    real = TaskInstance.objects.bulk_create
    calls = []

    def dies(rows: Any, **values: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(rows, **values)

    monkeypatch.setattr(type(TaskInstance.objects), "bulk_create", lambda self, rows, **values: dies(rows, **values))
    with pytest.raises(KeyboardInterrupt):
        rounds.run()
    monkeypatch.undo()
    rounds.end()
    Rounds().complete()
    assert len(states(run)) == 7


def test_a_mapped_task_without_a_result_above_it_fails_for_upstream() -> None:
    run = trigger(dag_of("a >> m", m=mapped(over="a")))
    Rounds().complete()
    run.refresh_from_db()
    assert states(run) == {"a": "success", "m": "upstream_failed"}
    assert run.state == "failed"


def test_a_run_whose_dag_was_deleted_is_closed() -> None:
    """C02-c."""
    run = trigger(spec_of_edges("gone", {"a": [], "b": ["a"]}))
    rounds = Rounds()
    rounds.run()
    run.dag.delete()
    rounds.end()
    Rounds().run()
    run = DagRun.objects.get(pk=run.pk)
    assert run.state == "failed"
    assert set(states(run).values()) == {"removed"}


def test_c02c_what_waits_for_a_worker_is_removed_when_its_dag_is_stale() -> None:
    run = trigger(spec_of_edges("stale", {"a": []}))
    rounds = Rounds()
    rounds.run()
    run.dag.is_stale = True
    run.dag.save()
    rounds.run()
    assert states(run) == {"a": "removed"}


def test_a_queued_run_of_a_stale_dag_does_not_begin() -> None:
    run = trigger(spec_of_edges("stale", {"a": []}), is_stale=True)
    Rounds().run()
    run.refresh_from_db()
    assert run.state == "queued"


def test_c02d_a_task_for_an_executor_that_is_not_configured_fails_at_once_with_the_reason() -> None:
    run = trigger(dag_of("a, b", a={"executor": "MoonExecutor", "retries": 3}))
    rounds = Rounds()
    rounds.run()
    assert states(run) == {"a": "failed", "b": "queued"}
    assert "MoonExecutor" in TaskInstance.objects.get(task_id="a").cause_detail


def test_c02d_a_hand_over_that_fails_for_a_moment_is_made_again_after_a_pause() -> None:
    run = trigger(spec_of_edges("one", {"t": []}))
    rounds = Rounds()
    rounds.run()
    for attempt in (1, 2):
        (handed,) = rounds.executor.handed
        rounds.executor.handed = []
        rounds.executor.news = [ExecutorEvent("rejected", handed.ti_id, handed.dispatch_id, "launch_error", "disk full")]
        rounds.run()
        ti = TaskInstance.objects.get()
        assert (ti.state, ti.try_number, rounds.executor.handed) == ("scheduled", 1, [])
        assert ti.wait_detail == {"launch_attempt": attempt, "error": "disk full"}
        rounds.let_due()
        rounds.run()
    assert states(run) == {"t": "queued"}


def test_one_attempt_that_cannot_be_handed_over_hinders_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from runs.scheduler import queue_tasks

    run = trigger(dag_of("a, b"))
    real = queue_tasks.workload_of
    monkeypatch.setattr(
        queue_tasks,
        "workload_of",
        lambda row: (_ for _ in ()).throw(LookupError("no version")) if row.task_id == "a" else real(row),
    )
    rounds = Rounds()
    rounds.run()
    assert [h.workload["ti"]["task_id"] for h in rounds.executor.handed] == ["b"]
    assert states(run) == {"a": "failed", "b": "queued"}


def test_news_of_executors_survives_a_failed_write(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trigger(spec_of_edges("one", {"t": []}))
    rounds = Rounds()
    rounds.run()
    (handed,) = rounds.executor.handed
    rounds.begin([handed])
    rounds.executor.news = [ExecutorEvent("lost", handed.ti_id, handed.dispatch_id, "supervisor_died")]
    fail_once(monkeypatch, transitions, "lose", LOST)
    round_that_may_fail(rounds)
    rounds.run()
    assert states(run) == {"t": "up_for_retry"}


def test_an_executor_that_fails_hinders_no_other_duty_and_no_other_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trigger(spec_of_edges("one", {"t": []}))
    rounds = Rounds()
    rounds.run()
    (handed,) = rounds.executor.handed
    broken = type(rounds.executor)()
    broken.name = "Broken"
    monkeypatch.setattr(broken, "events", lambda: (_ for _ in ()).throw(RuntimeError("broken")))
    rounds.executors.by_name = {"Broken": broken, **rounds.executors.by_name}
    rounds.executor.news = [ExecutorEvent("rejected", handed.ti_id, handed.dispatch_id, "evicted")]
    rounds.executor.handed = []
    rounds.run()
    assert len(rounds.executor.handed) == 1
    assert states(run) == {"t": "queued"}


def test_a_lost_database_is_not_blamed_on_the_dag(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trigger(spec_of_edges("one", {"t": []}))
    rounds = Rounds()
    fail_once(monkeypatch, transitions, "schedule", LOST)
    round_that_may_fail(rounds)
    rounds.run()
    run.refresh_from_db()
    assert (run.scheduling_error, states(run)) == ("", {"t": "queued"})


def test_c03a_a_step_of_the_clock_expires_no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    from runs.scheduler import reap_lost

    run = trigger(spec_of_edges("one", {"t": []}))
    rounds = Rounds()
    rounds.run()
    rounds.begin(rounds.executor.handed)
    reaper = reap_lost.ReapLost(rounds.executors)
    reaper._looking_since -= 1_000_000
    reaper.run_once(200)
    monkeypatch.setattr(reap_lost, "utcnow", lambda: utcnow() + timedelta(hours=1))
    reaper.run_once(200)
    assert states(run) == {"t": "running"}


def test_c03a_a_lease_that_nobody_renews_is_lost_after_the_grace() -> None:
    from runs.models import TaskLease
    from runs.scheduler import reap_lost

    run = trigger(spec_of_edges("one", {"t": []}))
    rounds = Rounds()
    rounds.run()
    rounds.begin(rounds.executor.handed)
    TaskLease.objects.update(expires_at=utcnow() - timedelta(seconds=1))
    reaper = reap_lost.ReapLost(rounds.executors)
    reaper.run_once(200)
    assert states(run) == {"t": "running"}
    reaper._looking_since -= 1_000_000
    reaper.run_once(200)
    assert states(run) == {"t": "up_for_retry"}
    assert TaskInstance.objects.get().infra_tries == 1


def test_a_run_is_not_read_again_for_ever_when_its_dag_has_no_version() -> None:
    run = trigger(spec_of_edges("one", {"t": []}))
    rounds = Rounds()
    rounds.run()
    run.dag.latest_version = None
    run.dag.save()
    from runs.scheduler.follow_versions import FollowVersions

    assert FollowVersions(rounds.holdings).run_once(10).done == 0


def test_a_run_that_a_person_took_from_its_owner_leaves_memory() -> None:
    run = trigger(spec_of_edges("one", {"t": []}), max_active_runs=0)
    rounds = Rounds()
    run.dag.max_active_runs = 1
    run.dag.save()
    rounds.run()
    run.dag.max_active_runs = 0
    run.dag.save()
    with transaction.atomic():
        run_set_state(run, "failed", actor="admin")
    with transaction.atomic():
        run_clear(run, actor="admin")
    rounds.run()
    assert rounds.holdings.runs == {}
    run.refresh_from_db()
    assert run.state == "queued"


def test_a_failed_run_without_any_task_that_ran_can_be_queued_again() -> None:
    dag = make_dag("d", spec_of_edges("d", {"t": []}))
    run = DagRun.objects.create(
        dag=dag, run_id="r", run_type="manual", state="failed", run_after=utcnow(), created_dag_version=dag.latest_version
    )
    with transaction.atomic():
        run_set_state(run, "queued", actor="admin")
    assert (run.state, run.clear_number) == ("queued", 0)


def test_reconcile_finds_a_scheduled_attempt_that_stands_in_no_queue() -> None:
    run = trigger(spec_of_edges("one", {"t": []}), is_paused=False)
    from runs.models import Pool
    from runs.scheduler.reconcile import Reconcile

    Pool.objects.update(slots=0)
    rounds = Rounds()
    rounds.run()
    ti = TaskInstance.objects.get()
    rounds.holdings.ready.discard(ti.pk)
    duty = Reconcile(rounds.holdings)
    duty.run_once(10)
    duty._seen[run.pk] -= 1_000_000
    duty.run_once(10)
    assert rounds.holdings.stale == {run.pk}


def test_the_graph_and_rows_agree_after_a_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trigger(spec_of_edges("d", {"a": [], "b": ["a"]}))
    rounds = Rounds()
    rounds.run()
    rounds.begin(rounds.executor.handed)
    rows = [
        InstanceState(t, i, s)
        for t, i, s in TaskInstance.objects.filter(dag_run=run).values_list("task_id", "map_index", "state")
    ]
    assert {row.key for row in rows} == set(rounds.holdings.runs[run.pk].graph)
    from runs.scheduler.reconcile import Reconcile

    duty = Reconcile(rounds.holdings)
    duty.run_once(10)
    duty._seen[run.pk] -= 1_000_000
    assert duty.run_once(10).done == 1
    assert rounds.holdings.corrections == 0
