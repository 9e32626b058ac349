"""C26-c: for each reason why a task instance waits a scenario made by the real duties; the explanation names the right blocker."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Q

from accounts.reach import Scope, reaching
from dags_app.models import Dag, DagVersion, ParseImportError
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.services import process_end, process_register
from runs import transitions
from runs.executors.base import ExecutorEvent
from runs.explain.answer import Explanation
from runs.explain.instance import explain_instance
from runs.explain.reasons import Reason
from runs.models import DagRun, Pool, TaskInstance
from runs.reports import Deferral, InputWait, Report, Reschedule
from runs.services_hold import hold_place
from tests.factories import make_dag, make_run, make_ti
from tests.integration.runs.harness import Rounds, spec_of_edges, trigger
from tests.specs import dag, mapped

pytestmark = pytest.mark.django_db


def why(run: DagRun, task_id: str, map_index: int = -1) -> Explanation:
    return explain_instance(row(run, task_id, map_index))[0]


def row(run: DagRun, task_id: str, map_index: int = -1) -> TaskInstance:
    return TaskInstance.objects.select_related("dag_run").get(dag_run=run, task_id=task_id, map_index=map_index)


def named(found: Explanation, kind: str = "task_instance") -> list[str]:
    return [blocker.name for blocker in found.blockers if blocker.kind == kind]


def begun(rounds: Rounds) -> TaskInstance:
    """Run rounds, begin the one attempt that was handed over, and return it."""
    rounds.run()
    (handed,) = rounds.executor.handed
    rounds.executor.handed.clear()
    rounds.begin([handed])
    return TaskInstance.objects.select_related("dag_run").get(pk=handed.ti_id)


def ended(ti: TaskInstance, state: str, cause: str = "user_exception", detail: str = "ValueError: no row") -> None:
    with transaction.atomic():
        transitions.finish([Report(ti.pk, ti.dispatch_id, state, utcnow(), cause=cause, cause_detail=detail)], now=utcnow())


def test_c26c_upstream_that_runs_is_named_with_its_state_its_link_and_its_usual_end() -> None:
    run = trigger(spec_of_edges("d", {"a": [], "b": [], "c": ["a", "b"]}))
    before = make_run(run.dag, "before", state="success")
    make_ti(before, "b", state="success", duration=600.0)
    rounds = Rounds()
    rounds.run()
    a, b = sorted(rounds.executor.handed, key=lambda item: item.workload["ti"]["task_id"])
    rounds.begin([b])
    rounds.executor.handed = [a]
    rounds.work()
    rounds.run()
    found = why(run, "c")
    assert (found.reason, named(found)) == (Reason.UPSTREAM, [f"d.b {run.run_id}"])
    blocker = found.blockers[0]
    assert blocker.state == "running"
    assert blocker.id == str(row(run, "b").pk)
    assert (blocker.link or "").endswith("/taskInstances/b")
    assert "1 of 2 upstream task instances are not done" in found.sentence
    start = row(run, "b").start_date
    assert start is not None and found.eta == start + timedelta(seconds=600)


def test_c26c_a_trigger_rule_that_cannot_be_met_yet_is_named() -> None:
    run = trigger(dag("a >> c, b >> c", c={"trigger_rule": "all_failed"}))
    rounds = Rounds()
    rounds.run()
    found = why(run, "c")
    assert found.reason is Reason.UPSTREAM
    assert "trigger rule all_failed" in found.sentence


def test_c26c_setups_teardowns_and_expansions_name_what_they_wait_for() -> None:
    spec = dag("s >> a >> z, m >> t", s={"is_setup": True}, z={"is_teardown": True}, t=mapped(over="m"))
    run = trigger(spec)
    rounds = Rounds()
    rounds.run()
    found = why(run, "t")
    assert (found.reason, named(found)) == (Reason.UPSTREAM, [f"d.m {run.run_id}"])
    assert why(run, "a").reason is Reason.UPSTREAM
    assert why(run, "z").reason in (Reason.UPSTREAM, Reason.TEARDOWN_SCOPE)


def test_c26c_an_expansion_that_waits_for_no_rule_waits_for_its_input() -> None:
    run = trigger(dag("m >> t", t={**mapped(over="m"), "trigger_rule": "always"}))
    rounds = Rounds()
    rounds.run()
    found = why(run, "t")
    assert (found.reason, named(found)) == (Reason.MAPPED_INPUT, [f"d.m {run.run_id}"])
    assert "expanded" in found.sentence


def test_c26c_a_removed_upstream_is_said_to_block_for_ever() -> None:
    run = trigger(dag("a >> b, c", b={"trigger_rule": "all_skipped"}))
    Rounds().run()
    TaskInstance.objects.filter(task_id="a").update(state="removed")
    found = why(run, "b")
    assert (found.reason, named(found)) == (Reason.UPSTREAM_REMOVED, [f"d.a {run.run_id}"])
    assert "clear or mark" in found.sentence


def past_runs(first_state: str, **task: object) -> tuple[DagRun, DagRun, Rounds]:
    spec = dag("t >> u", t={"depends_on_past": True, **task})
    owner = make_dag("d", spec)
    now = utcnow()
    first, second = (
        make_run(owner, name, state="queued", logical_date=now - timedelta(days=days), run_after=now - timedelta(days=days))
        for name, days in (("first", 2), ("second", 1))
    )
    rounds = Rounds()
    rounds.run()
    if first_state:
        TaskInstance.objects.filter(dag_run=first).update(state=first_state)
    return first, second, rounds


def test_c26c_depends_on_past_names_the_instance_of_the_run_before() -> None:
    _, second, rounds = past_runs("")
    rounds.run()
    found = why(second, "t")
    assert (found.reason, named(found)) == (Reason.PAST, ["d.t first"])


def test_c22c_a_past_that_failed_is_said_to_be_a_deadlock_with_the_instance_linked() -> None:
    _, second, _ = past_runs("failed")
    found = why(second, "t")
    assert (found.reason, named(found)) == (Reason.PAST_DEADLOCK, ["d.t first"])
    assert "never goes on by itself" in found.sentence
    assert (found.blockers[0].link or "").endswith("/dags/d/dagRuns/first/taskInstances/t")


def test_c26c_wait_for_downstream_names_the_instance_below() -> None:
    first, second, _ = past_runs("", wait_for_downstream=True)
    TaskInstance.objects.filter(dag_run=first, task_id="t").update(state="success")
    found = why(second, "t")
    assert (found.reason, named(found)) == (Reason.PAST, ["d.u first"])
    assert "wait_for_downstream" in found.sentence


def test_c26c_a_full_pool_names_who_holds_its_slots() -> None:
    Pool.objects.create(pool="small", slots=1)
    run = trigger(dag("a, b", a={"pool": "small", "priority_weight_total": 5}, b={"pool": "small"}))
    rounds = Rounds()
    begun(rounds)
    found = why(run, "b")
    assert (found.reason, named(found)) == (Reason.POOL_FULL, [f"d.a {run.run_id}"])
    assert named(found, "pool") == ["small"]
    assert "1 of 1 slots" in found.sentence


def test_c26c_holders_of_hidden_dags_count_but_are_not_named() -> None:
    Pool.objects.create(pool="small", slots=1)
    run = trigger(dag("a", a={"pool": "small"}))
    Rounds().run()
    TaskInstance.objects.filter(dag_run=run).update(state="scheduled")
    make_ti(make_run(make_dag("secret")), "t", pool="small", state="running")
    with reaching(Scope(Q(pk="d"), "vic")):
        found = why(run, "a")
    assert (found.reason, named(found)) == (Reason.POOL_FULL, [])
    assert "1 of 1 slots" in found.sentence and "secret" not in found.sentence


def test_c26c_an_unknown_pool_and_one_that_is_too_small_are_named() -> None:
    Pool.objects.create(pool="small", slots=1)
    run = trigger(dag("a, b", a={"pool": "nowhere"}, b={"pool": "small", "pool_slots": 2}))
    Rounds().run()
    assert (why(run, "a").reason, named(why(run, "a"), "pool")) == (Reason.UNKNOWN_POOL, ["nowhere"])
    assert (why(run, "b").reason, named(why(run, "b"), "pool")) == (Reason.POOL_TOO_SMALL, ["small"])


@pytest.mark.parametrize(
    ("reason", "dag_fields", "task_fields"),
    [
        (Reason.TASK_LIMIT, {"max_active_tasks": 1}, {}),
        (Reason.TASK_LIMIT_PER_DAG, {}, {"max_active_tis_per_dag": 1}),
        (Reason.TASK_LIMIT_PER_RUN, {}, {"max_active_tis_per_dagrun": 1}),
    ],
)
def test_c26c_a_cap_of_the_author_names_what_runs(reason: Reason, dag_fields: dict, task_fields: dict) -> None:  # type: ignore[type-arg]
    spec = dag("m", m={**mapped(2), **task_fields})
    spec.max_active_tasks = dag_fields.get("max_active_tasks", spec.max_active_tasks)
    run = trigger(spec)
    first = begun(Rounds())
    found = why(run, "m", 1 - first.map_index)
    assert (found.reason, named(found)) == (reason, [f"d.m[{first.map_index}] {run.run_id}"])


def test_c26c_full_parallelism_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestrator.config import conf

    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "1")
    conf.reload()
    try:
        run = trigger(dag("a, b"))
        first = begun(Rounds())
        found = why(run, "b" if first.task_id == "a" else "a")
    finally:
        monkeypatch.undo()
        conf.reload()
    assert (found.reason, named(found)) == (Reason.PARALLELISM, [f"d.{first.task_id} {run.run_id}"])


def test_c26c_a_paused_dag_holds_back_what_is_scheduled_and_what_is_not() -> None:
    run = trigger(dag("a >> b"), is_paused=True)
    DagRun.objects.update(state="running")
    rounds = Rounds()
    rounds.run()
    for task_id in ("a", "b"):
        assert (why(run, task_id).reason, named(why(run, task_id), "dag")) == (Reason.DAG_PAUSED, ["d"])


def test_c26c_a_dag_whose_file_is_gone_holds_back() -> None:
    run = trigger(dag("a"))
    rounds = Rounds()
    rounds.executor.owner_id = None
    rounds.run()
    Dag.objects.update(is_stale=True)
    assert (why(run, "a").reason, named(why(run, "a"), "dag")) == (Reason.DAG_STALE, ["d"])
    ParseImportError.objects.create(
        bundle=run.dag.bundle, filename="d.py", timestamp=utcnow(), stacktrace="Traceback\nNameError: name 'x'"
    )
    found = why(run, "a")
    assert (found.reason, named(found, "import_error")) == (Reason.IMPORT_ERROR, ["d.py"])
    assert "NameError: name 'x'" in found.sentence


def test_c26c_a_hold_names_the_person_and_the_end() -> None:
    run = trigger(dag("a"))
    until = utcnow() + timedelta(hours=1)
    with transaction.atomic():
        hold_place(run, by="ann", now=utcnow(), task_id="a", reason="look first", until=until)
    Rounds().run()
    found = why(run, "a")
    assert (found.reason, named(found, "hold"), found.eta) == (Reason.HELD, ["hold by ann"], until)
    assert "look first" in found.sentence


def test_c26c_a_retry_names_its_time_its_try_and_what_the_last_one_died_of() -> None:
    run = trigger(dag("a", a={"retries": 2, "retry_delay": 300.0}))
    ended(begun(Rounds()), "up_for_retry")
    found = why(run, "a")
    assert found.reason is Reason.RETRY_AT
    assert found.eta == row(run, "a").retry_at
    assert "try 2 of 3" in found.sentence and "try 1 failed (user_exception): ValueError: no row" in found.sentence


def test_c26c_a_retry_that_is_due_names_what_keeps_it_from_beginning() -> None:
    run = trigger(dag("a", a={"retries": 2, "retry_delay": 300.0}))
    rounds = Rounds()
    ended(begun(rounds), "up_for_retry")
    TaskInstance.objects.update(retry_at=utcnow() - timedelta(seconds=1))
    assert why(run, "a").reason is Reason.RETRY_AT
    process_end(rounds.holdings.scheduler_id)
    assert why(run, "a").reason is Reason.SCHEDULER_DOWN


def test_c26c_a_sensor_that_gave_its_slot_back_names_its_next_look() -> None:
    run = trigger(dag("a"))
    ti, due = begun(Rounds()), utcnow() + timedelta(minutes=5)
    with transaction.atomic():
        transitions.reschedule([Reschedule(ti.pk, ti.dispatch_id, due, utcnow())], now=utcnow())
    found = why(run, "a")
    assert (found.reason, found.eta) == (Reason.RESCHEDULE, due)


def deferred(ti: TaskInstance, queue: str | None = None) -> None:
    with transaction.atomic():
        wait = Deferral(ti.pk, ti.dispatch_id, "my.Trigger", "{}", "go_on", {}, None, queue=queue)
        transitions.defer([wait], now=utcnow())


def test_c26c_a_deferred_task_names_its_trigger_and_a_triggerer_that_is_missing() -> None:
    run = trigger(dag("a"))
    deferred(begun(Rounds()))
    found = why(run, "a")
    assert (found.reason, named(found, "process")) == (Reason.TRIGGERER_DOWN, ["triggerer"])
    process_register("triggerer", detail={"queues": []})
    found = why(run, "a")
    assert (found.reason, named(found, "trigger")) == (Reason.TRIGGER, ["my.Trigger"])


def test_c26c_a_trigger_of_a_queue_that_nobody_serves_says_so() -> None:
    run = trigger(dag("a"))
    deferred(begun(Rounds()), queue="far")
    process_register("triggerer", detail={"queues": []})
    found = why(run, "a")
    assert found.reason is Reason.TRIGGERER_DOWN
    assert "queue far" in found.sentence
    process_register("triggerer", detail={"queues": ["far"]})
    assert why(run, "a").reason is Reason.TRIGGER


def test_c26c_a_question_names_its_subject_and_who_may_answer() -> None:
    from runs.models import HITLDetail

    run = trigger(dag("a"))
    ti = begun(Rounds())
    HITLDetail.objects.create(
        ti_id=ti.pk,
        dag_run=ti.dag_run,
        task_id="a",
        subject="Ship it?",
        options=["yes"],
        assignees=[{"id": "1", "name": "ann"}],
        created_at=utcnow(),
    )
    with transaction.atomic():
        transitions.await_input([InputWait(ti.pk, ti.dispatch_id, "execute_complete", {}, None)], now=utcnow())
    found = why(run, "a")
    assert (found.reason, named(found, "question")) == (Reason.INPUT, ["Ship it?"])
    assert "ann" in found.sentence


def test_c26c_without_a_worker_the_queue_is_named() -> None:
    run = trigger(dag("a", a={"queue": "gpu"}))
    rounds = Rounds()
    assert rounds.executor.owner_id is not None
    process_end(rounds.executor.owner_id)
    rounds.executor.owner_id = None
    rounds.run()
    found = why(run, "a")
    assert (found.reason, named(found, "process")) == (Reason.NO_WORKER, ["supervisor"])
    assert "queue gpu" in found.sentence


def test_c26c_an_executor_that_is_not_configured_is_named() -> None:
    run = trigger(dag("a", a={"executor": "MoonExecutor"}))
    rounds = Rounds()
    rounds.executor.owner_id = None
    rounds.run()
    found = why(run, "a")
    assert (found.reason, named(found, "executor")) == (Reason.NO_EXECUTOR, ["MoonExecutor"])


def test_c26c_without_a_scheduler_that_is_said_first() -> None:
    run = trigger(dag("a >> b"))
    rounds = Rounds()
    rounds.run()
    process_end(rounds.holdings.scheduler_id)
    found = why(run, "b")
    assert (found.reason, named(found, "process")) == (Reason.SCHEDULER_DOWN, ["scheduler"])


def test_c26c_what_an_executor_has_says_since_when_and_a_dead_worker_is_named() -> None:
    run = trigger(dag("a"))
    rounds = Rounds()
    rounds.run()
    found = why(run, "a")
    assert (found.reason, found.since) == (Reason.EXECUTOR, row(run, "a").queued_dttm)
    assert rounds.executor.owner_id is not None
    process_end(rounds.executor.owner_id)
    assert why(run, "a").reason is Reason.NO_WORKER


def test_c26c_a_launch_that_failed_says_which_attempt_and_why() -> None:
    run = trigger(dag("a"))
    rounds = Rounds()
    rounds.run()
    (handed,) = rounds.executor.handed
    rounds.executor.handed.clear()
    rounds.executor.news = [ExecutorEvent("rejected", handed.ti_id, handed.dispatch_id, "launch_error", "no memory")]
    rounds.run(1)
    found = why(run, "a")
    assert (found.reason, found.eta) == (Reason.LAUNCH, row(run, "a").retry_at)
    assert "Launch attempt 1" in found.sentence and "no memory" in found.sentence


def test_c26c_a_cleared_task_whose_process_may_still_run_says_until_when() -> None:
    run = trigger(dag("a"))
    rounds = Rounds()
    ti = begun(rounds)
    with transaction.atomic():
        transitions.clear([ti.pk], now=utcnow(), actor="ann")
    rounds.run()
    found = why(run, "a")
    assert (found.reason, found.eta) == (Reason.PREVIOUS_ATTEMPT, row(run, "a").retry_at)


def test_c26c_a_ready_task_is_said_to_be_next() -> None:
    run = trigger(dag("a"))
    rounds = Rounds()
    rounds.executor.owner_id, owner = None, rounds.executor.owner_id
    rounds.run()
    rounds.executor.owner_id = owner
    assert why(run, "a").reason is Reason.ABOUT_TO_QUEUE


def test_c26c_what_is_not_decided_yet_but_could_be_says_so() -> None:
    run = trigger(dag("a"))
    rounds = Rounds()
    rounds.run()
    TaskInstance.objects.update(state=None)
    assert why(run, "a").reason is Reason.ABOUT_TO_DECIDE


def test_c26c_a_task_that_left_the_dag_says_so() -> None:
    run = trigger(dag("a"))
    rounds = Rounds()
    rounds.run()
    make_ti(run, "gone", state=None)
    assert why(run, "gone").reason is Reason.TASK_GONE


def test_c26c_a_version_that_cannot_be_read_says_so() -> None:
    run = trigger(dag("a"))
    Rounds().run()
    TaskInstance.objects.update(state=None)
    DagVersion.objects.update(document="{", structure_hash="another")
    assert why(run, "a").reason is Reason.NO_VERSION


def test_c26c_running_and_finished_instances_wait_for_nothing() -> None:
    run = trigger(dag("a"))
    rounds = Rounds()
    ti = begun(rounds)
    assert why(run, "a").reason is Reason.RUNNING
    ended(ti, "failed")
    assert why(run, "a").reason is Reason.FINISHED


def test_c26c_of_a_queued_run_the_run_is_named() -> None:
    run = make_run(make_dag(spec=dag("t")), state="queued", run_after=utcnow() + timedelta(hours=1))
    Rounds().run()
    found = explain_instance(make_ti(run, state=None))[0]
    assert (found.reason, found.eta, named(found, "dag_run")) == (Reason.RUN_AFTER, run.run_after, ["d r"])


def test_c26_explaining_costs_as_many_queries_in_a_large_run_as_in_a_small_one(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    run = trigger(dag("m >> z", m=mapped(200)))
    Rounds().run()
    with django_assert_max_num_queries(10):
        found = explain_instance(TaskInstance.objects.select_related("dag_run").get(dag_run=run, task_id="z"))[0]
    assert len(found.blockers) == 10


def test_c26a_every_word_that_rows_store_is_a_reason() -> None:
    from runs.dependencies import WaitReason
    from runs.old_attempts import LAUNCH, PREVIOUS_ATTEMPT
    from runs.scheduler.unknown_pools import REASON
    from runs.services_hold import HELD

    stored = {
        "slots",
        "executor",
        "retry_at",
        "reschedule",
        "trigger",
        "input",
        "upstream",
        LAUNCH,
        PREVIOUS_ATTEMPT,
        REASON,
        HELD,
    }
    assert stored | set(WaitReason) <= set(Reason)


def test_c26c_a_setup_further_up_and_the_tasks_before_a_teardown_are_named() -> None:
    scope = dag(
        "s >> a >> b >> t, s >> t",
        s={"is_setup": True},
        a={"trigger_rule": "always"},
        t={"is_teardown": True, "trigger_rule": "all_done_setup_success"},
    )
    run = trigger(scope)
    Rounds().run()
    TaskInstance.objects.filter(task_id="a").update(state="success")
    found = why(run, "b")
    assert (found.reason, named(found)) == (Reason.SETUP, [f"d.s {run.run_id}"])
    TaskInstance.objects.filter(task_id__in=["s", "b"]).update(state="success")
    TaskInstance.objects.filter(task_id="a").update(state="running")
    found = why(run, "t")
    assert (found.reason, named(found)) == (Reason.TEARDOWN_SCOPE, [f"d.a {run.run_id}"])
