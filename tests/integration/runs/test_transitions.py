"""Every edge from every state: who wins, who loses, and what is written beside it (invariants I1, I5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs import transitions
from runs.models import DagRun, RunEvent, StateChange, TaskInstance, TaskInstanceHistory, TaskLease, TaskReschedule, Trigger
from runs.reports import Answer, Deferral, InputWait, Renewal, Report, Reschedule, Start
from runs.resumptions import Resumption
from runs.states import DagRunState, is_edge
from runs.states import TaskInstanceState as S
from tests.factories import NOON, make_dag, make_lease, make_run, make_ti

pytestmark = pytest.mark.django_db

ALL: list[S | None] = [None, *S]
LATER = NOON + timedelta(minutes=1)
Act = Callable[[TaskInstance], Any]


def start_of(ti: TaskInstance, **values: Any) -> Start:
    return Start(
        **({"ti_id": ti.pk, "dispatch_id": ti.dispatch_id, "hostname": "h", "unixname": "u", "pid": 7} | values), start_date=LATER
    )


def report_of(ti: TaskInstance, state: str, **values: Any) -> Report:
    return Report(**({"ti_id": ti.pk, "dispatch_id": ti.dispatch_id, "state": state, "end_date": LATER} | values))


def deferral_of(ti: TaskInstance) -> Deferral:
    return Deferral(ti.pk, ti.dispatch_id, "m.T", "{}", "resume", {})


def reschedule_of(ti: TaskInstance) -> Reschedule:
    return Reschedule(ti.pk, ti.dispatch_id, LATER, LATER)


def finish(state: str, **values: Any) -> Act:
    return lambda ti: transitions.finish([report_of(ti, state, **values)], now=LATER)


def decide(state: str) -> Act:
    return lambda ti: transitions.decide_without_running([ti.pk], state, now=LATER)


def mark(state: str) -> Act:
    return lambda ti: transitions.mark([ti.pk], state, now=LATER, actor="ann")


UNDECIDED = {None, S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE}
NOT_RUN = {*UNDECIDED, S.SCHEDULED}
EVERY = set(ALL)

# name -> (act, from-states that win, state after, does the run's owner learn it by an event)
EDGES: dict[str, tuple[Act, set[S | None], S | None, bool]] = {
    "schedule": (
        lambda ti: transitions.schedule([ti.pk], now=LATER),
        {*UNDECIDED, S.DEFERRED, S.AWAITING_INPUT},
        S.SCHEDULED,
        False,
    ),
    "skip": (decide(S.SKIPPED), NOT_RUN, S.SKIPPED, False),
    "succeed_without_running": (decide(S.SUCCESS), NOT_RUN, S.SUCCESS, False),
    "fail_for_upstream": (decide(S.UPSTREAM_FAILED), NOT_RUN, S.UPSTREAM_FAILED, False),
    "remove": (decide(S.REMOVED), NOT_RUN, S.REMOVED, False),
    "queue": (lambda ti: transitions.queue([ti.pk], queued_by=new_id(), now=LATER), {S.SCHEDULED}, S.QUEUED, False),
    "requeue": (
        lambda ti: transitions.requeue({ti.pk: ti.dispatch_id}, now=LATER, cause="launch_error"),
        {S.QUEUED},
        S.SCHEDULED,
        True,
    ),
    "start": (
        lambda ti: transitions.start([start_of(ti)], now=LATER, lease_seconds=60),
        {S.QUEUED, S.RESTARTING},
        S.RUNNING,
        False,
    ),
    "finish_success": (finish(S.SUCCESS), {S.RUNNING}, S.SUCCESS, True),
    "finish_failed": (finish(S.FAILED), {S.RUNNING}, S.FAILED, True),
    "finish_skipped": (finish(S.SKIPPED), {S.RUNNING}, S.SKIPPED, True),
    "finish_removed": (finish(S.REMOVED), {S.RUNNING}, S.REMOVED, True),
    "finish_retry": (finish(S.UP_FOR_RETRY), {S.RUNNING}, S.UP_FOR_RETRY, True),
    "finish_host_died": (finish(S.FAILED, cause="host_died"), {S.RUNNING}, S.UP_FOR_RETRY, True),
    "reschedule": (
        lambda ti: transitions.reschedule([reschedule_of(ti)], now=LATER),
        {S.RUNNING},
        S.UP_FOR_RESCHEDULE,
        True,
    ),
    "defer": (lambda ti: transitions.defer([deferral_of(ti)], now=LATER), {S.RUNNING}, S.DEFERRED, True),
    "await_input": (
        lambda ti: transitions.await_input([InputWait(ti.pk, ti.dispatch_id, "execute_complete", {})], now=LATER),
        {S.RUNNING},
        S.AWAITING_INPUT,
        True,
    ),
    "resume": (
        lambda ti: transitions.resume([Resumption(ti.pk, ti.trigger_id, event={})], now=LATER),
        {S.DEFERRED, S.AWAITING_INPUT},
        S.SCHEDULED,
        True,
    ),
    "lose": (
        lambda ti: transitions.lose([report_of(ti, S.FAILED, cause="supervisor_died")], now=LATER),
        {S.RUNNING, S.RESTARTING},
        S.UP_FOR_RETRY,
        True,
    ),
    "fail_unstarted": (
        lambda ti: transitions.fail_unstarted([report_of(ti, S.FAILED, cause="launch_impossible")], now=LATER),
        {S.SCHEDULED, S.QUEUED},
        S.FAILED,
        True,
    ),
    "remove_unstarted": (lambda ti: transitions.remove_unstarted([ti.pk], now=LATER), {S.SCHEDULED, S.QUEUED}, S.REMOVED, True),
    "clear": (lambda ti: transitions.clear([ti.pk], now=LATER, actor="ann"), EVERY - {None}, None, True),
    "mark_success": (mark(S.SUCCESS), EVERY - {S.SUCCESS}, S.SUCCESS, True),
    "mark_failed": (mark(S.FAILED), EVERY - {S.FAILED}, S.FAILED, True),
    "mark_skipped": (mark(S.SKIPPED), EVERY - {S.SKIPPED}, S.SKIPPED, True),
}


def made(state: str | None, **fields: Any) -> TaskInstance:
    run = make_run(make_dag("d", DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t", retries=2, retry_delay=10.0)])))
    ti = make_ti(run, state=state, **{"max_tries": 2, "start_date": NOON, **fields})
    if state == S.RUNNING:
        make_lease(ti)
    return ti


def current() -> TaskInstance:
    return TaskInstance.objects.get()


def snapshot() -> dict[str, Any]:
    return dict(TaskInstance.objects.values().get())


@pytest.mark.parametrize("before", ALL, ids=str)
@pytest.mark.parametrize("name", EDGES)
def test_each_edge_wins_from_its_states_and_leaves_the_others_as_they_are(name: str, before: S | None) -> None:
    act, allowed, after, announced = EDGES[name]
    ti = made(before)
    was = snapshot()
    with transaction.atomic():
        answer = act(ti)
    won = answer[ti.pk].won if isinstance(answer, dict) else bool(answer)
    assert won == (before in allowed)
    if not won:
        assert snapshot() == was
        assert not StateChange.objects.exists()
        assert not RunEvent.objects.exists()
        return
    assert is_edge(before, after)
    row = current()
    change = StateChange.objects.get()
    assert (row.state, change.from_state, change.to_state, change.at) == (after, before, after, LATER)
    assert (change.ti_id, change.task_id, change.map_index, change.try_number) == (ti.pk, "t", -1, 1)
    assert RunEvent.objects.count() == int(announced)
    if announced:
        event = RunEvent.objects.get()
        assert (event.task_id, event.map_index, event.state, event.ti_id) == ("t", -1, after, row.pk)
    # A cleared attempt's lease stays, fenced, until its process is certainly gone (C21-a).
    assert TaskLease.objects.count() == int(after == S.RUNNING or (name == "clear" and before == S.RUNNING))


WORKERS: dict[str, tuple[Callable[[TaskInstance], dict[Any, Answer]], S]] = {
    "start": (lambda ti: transitions.start([start_of(ti)], now=LATER, lease_seconds=60), S.QUEUED),
    "finish": (finish(S.SUCCESS), S.RUNNING),
    "retry": (finish(S.UP_FOR_RETRY), S.RUNNING),
    "reschedule": (lambda ti: transitions.reschedule([reschedule_of(ti)], now=LATER), S.RUNNING),
    "defer": (lambda ti: transitions.defer([deferral_of(ti)], now=LATER), S.RUNNING),
    "renew": (lambda ti: transitions.renew([Renewal(ti.pk, ti.dispatch_id, "h", 1)], now=LATER, lease_seconds=60), S.RUNNING),
}


@pytest.mark.parametrize("name", WORKERS)
def test_c01c_a_worker_of_an_older_hand_over_changes_nothing(name: str) -> None:
    act, before = WORKERS[name]
    ti = made(before)
    TaskInstance.objects.update(dispatch_id=new_id())
    TaskLease.objects.update(dispatch_id=new_id())
    was, lease = snapshot(), list(TaskLease.objects.values())
    with transaction.atomic():
        answer = act(ti)[ti.pk]
    assert not answer.accepted
    assert (snapshot(), list(TaskLease.objects.values())) == (was, lease)
    assert not StateChange.objects.exists()


@pytest.mark.parametrize("name", WORKERS)
def test_i5_a_worker_that_repeats_itself_hears_the_same(name: str) -> None:
    act, before = WORKERS[name]
    ti = made(before)
    with transaction.atomic():
        assert act(ti)[ti.pk].won
    was, changes = snapshot(), StateChange.objects.count()
    with transaction.atomic():
        answer = act(ti)[ti.pk]
    assert answer.accepted
    assert StateChange.objects.count() == changes
    if name != "renew":
        assert snapshot() == was


@pytest.mark.parametrize("name", WORKERS)
def test_c01b_a_worker_that_names_an_unknown_attempt_is_told_so(name: str) -> None:
    act, before = WORKERS[name]
    ti = made(before)
    TaskInstance.objects.all().delete()
    TaskLease.objects.all().delete()
    with transaction.atomic():
        answer = act(ti)[ti.pk]
    assert answer.missing
    assert not answer.accepted


def test_c01b_a_second_worker_cannot_start_what_runs() -> None:
    ti = made(S.QUEUED)
    with transaction.atomic():
        transitions.start([start_of(ti)], now=NOON, lease_seconds=60)
        was = snapshot()
        answer = transitions.start([start_of(ti, pid=8)], now=LATER, lease_seconds=60)[ti.pk]
    assert (answer.accepted, answer.previous_state) == (False, "running")
    assert snapshot() == was


def test_c01a_another_end_than_the_stored_one_is_refused() -> None:
    ti = made(S.RUNNING)
    with transaction.atomic():
        finish(S.SUCCESS)(ti)
        answer = finish(S.FAILED)(ti)[ti.pk]
    assert (answer.accepted, answer.previous_state, current().state) == (False, "success", "success")


def test_one_batch_holds_winners_and_losers_and_answers_each() -> None:
    ti = made(S.RUNNING)
    other = make_ti(ti.dag_run, "u", state=S.QUEUED)
    with transaction.atomic():
        answers = transitions.finish([report_of(ti, S.SUCCESS), report_of(other, S.SUCCESS)], now=LATER)
    assert (answers[ti.pk].won, answers[other.pk].accepted) == (True, False)


def test_a_start_writes_worker_and_lease() -> None:
    ti = made(S.QUEUED, wait_reason="executor", wait_detail={"launch_attempt": 1}, wait_since=NOON)
    with transaction.atomic():
        transitions.start([start_of(ti)], now=LATER, lease_seconds=60)
    row, lease = current(), TaskLease.objects.get()
    assert (row.hostname, row.unixname, row.pid, row.start_date) == ("h", "u", 7, LATER)
    assert (row.wait_reason, row.wait_detail, row.wait_since) == (None, None, None)
    assert (lease.ti_id, lease.dispatch_id, lease.expires_at) == (ti.pk, ti.dispatch_id, LATER + timedelta(seconds=60))


def test_a_resumed_try_keeps_its_start() -> None:
    ti = made(S.QUEUED, next_method="resume")
    with transaction.atomic():
        transitions.start([start_of(ti)], now=LATER, lease_seconds=60)
    assert current().start_date == NOON


def test_an_end_keeps_its_evidence() -> None:
    ti = made(S.RUNNING)
    with transaction.atomic():
        finish(S.FAILED, cause="signal", cause_detail="killed", signal=9, peak_rss_kb=5, rendered_map_index="x")(ti)
    row = current()
    assert (row.cause, row.cause_detail, row.signal, row.peak_rss_kb, row.rendered_map_index) == ("signal", "killed", 9, 5, "x")
    assert (row.end_date, row.duration) == (LATER, 60.0)


def test_a_retry_archives_the_attempt_and_starts_clean_under_a_new_id() -> None:
    ti = made(S.RUNNING, hostname="h", pid=1, rendered_map_index="x")
    with transaction.atomic():
        finish(S.UP_FOR_RETRY, cause="user_exception", exit_code=1)(ti)
    row, past, event = current(), TaskInstanceHistory.objects.get(), RunEvent.objects.get()
    assert row.pk != ti.pk
    assert (past.pk, past.state, past.try_number, past.cause, past.exit_code, past.hostname) == (
        ti.pk, "failed", 1, "user_exception", 1, "h",
    )  # fmt: skip
    assert (row.try_number, row.max_tries, row.infra_tries, row.hostname, row.pid, row.dispatch_id) == (1, 2, 0, "", None, None)
    assert row.retry_at == event.due_at == LATER + timedelta(seconds=10)


@pytest.mark.parametrize("cause", ["host_died", "supervisor_died", "evicted", "lease_lost", "heartbeat_timeout", "report_lost"])
def test_c25a_the_infrastructure_has_its_own_budget(cause: str) -> None:
    ti = made(S.RUNNING, max_tries=0)
    with transaction.atomic():
        finish(S.FAILED, cause=cause)(ti)
    row = current()
    assert (row.state, row.max_tries, row.infra_tries, row.try_number) == ("up_for_retry", 1, 1, 1)


def test_c25a_a_spent_infrastructure_budget_leaves_the_authors_retries() -> None:
    ti = made(S.RUNNING, try_number=4, max_tries=5, infra_tries=3)
    with transaction.atomic():
        finish(S.FAILED, cause="host_died")(ti)
    row = current()
    assert (row.state, row.max_tries, row.infra_tries) == ("up_for_retry", 5, 3)
    TaskInstance.objects.update(state=S.RUNNING, try_number=6, dispatch_id=ti.dispatch_id)
    with transaction.atomic():
        transitions.finish([report_of(current(), S.UP_FOR_RETRY, cause="host_died")], now=LATER)
    assert current().state == "failed"


@pytest.mark.parametrize(("try_number", "max_tries"), [(1, 2), (3, 2), (4, 7), (0, 0)])
def test_a_clear_gives_all_retries_again_and_forgets_infrastructure_failures(try_number: int, max_tries: int) -> None:
    ti = made(S.FAILED, try_number=try_number, max_tries=max_tries, infra_tries=2, cause="user_exception", note="keep")
    with transaction.atomic():
        transitions.clear([ti.pk], now=LATER, actor="ann")
    row = current()
    assert (row.try_number, row.max_tries, row.infra_tries) == (try_number, try_number + 2, 0)
    assert (row.cause, row.end_date, row.note) == (None, None, "keep")
    past = TaskInstanceHistory.objects.filter(pk=ti.pk).first()
    assert (past is not None) == (try_number > 0)
    if past:
        assert (past.state, past.cause) == ("failed", "user_exception")


@pytest.mark.parametrize("before", [S.RUNNING, S.DEFERRED, S.UP_FOR_RESCHEDULE])
def test_a_clear_in_the_middle_of_an_attempt_keeps_it_as_failed_because_cleared(before: S) -> None:
    ti = made(before)
    with transaction.atomic():
        transitions.clear([ti.pk], now=LATER, actor="ann")
    past = TaskInstanceHistory.objects.get()
    assert (past.pk, past.state, past.cause) == (ti.pk, "failed", "cleared")


@pytest.mark.parametrize("before", [S.SCHEDULED, S.QUEUED, S.UP_FOR_RETRY])
def test_a_clear_before_an_attempt_began_makes_no_history(before: S) -> None:
    ti = made(before)
    with transaction.atomic():
        transitions.clear([ti.pk], now=LATER, actor="ann")
    assert not TaskInstanceHistory.objects.exists()


@pytest.mark.parametrize(("before", "revoked"), [(S.QUEUED, True), (S.RUNNING, True), (S.RESTARTING, True), (S.FAILED, False)])
def test_taking_an_attempt_from_a_worker_says_whom_to_stop(before: S, revoked: bool) -> None:
    ti = made(before)
    with transaction.atomic():
        transitions.clear([ti.pk], now=LATER, actor="ann")
    assert RunEvent.objects.get().revoked_id == (ti.pk if revoked else None)


def test_c03e_a_worker_whose_attempt_was_cleared_hears_why_and_by_whom() -> None:
    ti = made(S.RUNNING)
    with transaction.atomic():
        transitions.clear([ti.pk], now=LATER, actor="ann")
        answer = transitions.renew([Renewal(ti.pk, ti.dispatch_id, "h", 1)], now=LATER, lease_seconds=60)[ti.pk]
        end = transitions.finish([report_of(ti, S.SUCCESS)], now=LATER)[ti.pk]
    assert (answer.accepted, answer.reason, answer.actor) == (False, "cleared", "ann")
    assert not end.accepted


def test_a_new_try_is_counted_when_it_is_decided_and_a_wait_inside_a_try_is_not_one() -> None:
    fresh = made(None, try_number=0)
    waiting = make_ti(fresh.dag_run, "u", state=S.UP_FOR_RESCHEDULE, try_number=3, retry_at=NOON)
    with transaction.atomic():
        transitions.schedule([fresh.pk, waiting.pk], now=LATER)
    tries = dict(TaskInstance.objects.values_list("task_id", "try_number"))
    assert tries == {"t": 1, "u": 3}
    assert set(TaskInstance.objects.values_list("retry_at", flat=True)) == {None}


def test_each_hand_over_has_a_dispatch_id_of_its_own() -> None:
    ti = made(S.SCHEDULED, dispatch_id=None)
    seen = set()
    for _ in range(3):
        with transaction.atomic():
            (row,) = transitions.queue([ti.pk], queued_by=None, now=LATER)
            transitions.requeue({ti.pk: row.dispatch_id}, now=LATER, cause="evicted")
        seen.add(row.dispatch_id)
        assert current().dispatch_id is None
    assert len(seen) == 3


def test_c02a_a_hand_over_made_since_is_not_taken_back() -> None:
    ti = made(S.QUEUED)
    with transaction.atomic():
        assert transitions.requeue({ti.pk: new_id()}, now=LATER, cause="launch_error") == []
    assert current().state == "queued"


def test_a_lease_that_was_renewed_since_it_was_seen_expired_is_not_lost() -> None:
    ti = made(S.RUNNING)
    TaskLease.objects.update(expires_at=LATER + timedelta(seconds=1))
    with transaction.atomic():
        assert transitions.lose([report_of(ti, S.FAILED, cause="lease_lost")], now=LATER, expired_only=True) == []
    assert current().state == "running"
    TaskLease.objects.update(expires_at=NOON)
    with transaction.atomic():
        assert transitions.lose([report_of(ti, S.FAILED, cause="lease_lost")], now=LATER, expired_only=True)


def test_a_reschedule_writes_its_poke() -> None:
    ti = made(S.RUNNING)
    with transaction.atomic():
        transitions.reschedule([reschedule_of(ti)], now=LATER)
    poke = TaskReschedule.objects.get()
    assert (poke.ti_id, poke.try_number, poke.start_date, poke.reschedule_date) == (ti.pk, 1, NOON, LATER)


def test_a_deferral_writes_its_trigger() -> None:
    ti = made(S.RUNNING)
    with transaction.atomic():
        transitions.defer([deferral_of(ti)], now=LATER)
    assert current().trigger_id == Trigger.objects.get().pk


@pytest.mark.parametrize("size", [1, 20])
@pytest.mark.parametrize("name", ["start", "finish", "retry", "clear", "mark", "lose", "renew", "queue"])
def test_i7_a_batch_costs_as_many_queries_as_a_single_one(name: str, size: int, django_assert_max_num_queries: Any) -> None:
    ti = made(S.RUNNING)
    rows = [ti, *(make_ti(ti.dag_run, f"t{i}", state=S.RUNNING) for i in range(size - 1))]
    for row in rows[1:]:
        make_lease(row)
    state = {"start": S.QUEUED, "queue": S.SCHEDULED}.get(name, S.RUNNING)
    TaskInstance.objects.update(state=state)
    acts: dict[str, Callable[[], Any]] = {
        "start": lambda: transitions.start([start_of(r) for r in rows], now=LATER, lease_seconds=60),
        "finish": lambda: transitions.finish([report_of(r, S.SUCCESS) for r in rows], now=LATER),
        "retry": lambda: transitions.finish([report_of(r, S.UP_FOR_RETRY) for r in rows], now=LATER),
        "clear": lambda: transitions.clear([r.pk for r in rows], now=LATER),
        "mark": lambda: transitions.mark([r.pk for r in rows], S.SUCCESS, now=LATER, actor="ann"),
        "lose": lambda: transitions.lose([report_of(r, S.FAILED, cause="host_died") for r in rows], now=LATER),
        "renew": lambda: transitions.renew([Renewal(r.pk, r.dispatch_id, "h", 1) for r in rows], now=LATER, lease_seconds=60),
        "queue": lambda: transitions.queue([r.pk for r in rows], queued_by=None, now=LATER),
    }
    with transaction.atomic(), django_assert_max_num_queries(12) as queries:
        acts[name]()
    statements = [q["sql"] for q in queries.captured_queries if "SAVEPOINT" not in q["sql"]]
    assert len(statements) <= 11, "\n".join(statements)


RUN_ACTS: dict[str, tuple[Callable[[DagRun], bool], set[str], str, bool]] = {
    "start_run": (lambda r: transitions.start_run(r.pk, scheduler_id=new_id(), now=LATER), {"queued"}, "running", False),
    "finish_run": (lambda r: transitions.finish_run(r.pk, "success", now=LATER), {"running"}, "success", False),
    "set_failed": (
        lambda r: transitions.set_run_state(r.pk, "failed", now=LATER, actor="ann"),
        {"queued", "running", "success"},
        "failed",
        True,
    ),
    "set_queued": (
        lambda r: transitions.set_run_state(r.pk, "queued", now=LATER, actor="ann"),
        {"running", "success", "failed"},
        "queued",
        True,
    ),
}


@pytest.mark.parametrize("before", [state.value for state in DagRunState])
@pytest.mark.parametrize("name", RUN_ACTS)
def test_each_edge_of_a_run_wins_from_its_states(name: str, before: str) -> None:
    act, allowed, after, announced = RUN_ACTS[name]
    run = make_run(make_dag(), state=before)
    with transaction.atomic():
        won = bool(act(run))
    run.refresh_from_db()
    assert won == (before in allowed)
    assert run.state == (after if won else before)
    assert StateChange.objects.filter(dag_run=run, task_id="", to_state=after).count() == int(won)
    assert RunEvent.objects.count() == int(won and announced)


def test_a_run_of_another_scheduler_is_not_ended() -> None:
    run = make_run(make_dag(), scheduler_id=new_id())
    with transaction.atomic():
        assert not transitions.finish_run(run.pk, "success", now=LATER, scheduler_id=new_id())
        assert transitions.finish_run(run.pk, "success", now=LATER, scheduler_id=run.scheduler_id)
