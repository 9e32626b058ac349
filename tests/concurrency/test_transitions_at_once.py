"""Two connections change the same rows at the same time: one wins, the other loses and is told so (I1, C12-c)."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from runs import transitions
from runs.models import DagRun, RunEvent, StateChange, TaskInstance, TaskLease
from runs.old_attempts import NO_DISPATCH, confirm_ended
from runs.reports import Renewal, Report, Start
from runs.services import run_clear, task_instances_clear
from runs.states import TaskInstanceState as S
from tests.concurrency.at_once import at_once, deadlocks
from tests.factories import make_dag, make_lease, make_run, make_ti

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = range(5)


def start_of(ti: TaskInstance, pid: int) -> Start:
    return Start(ti.pk, ti.dispatch_id, "h", "u", pid, utcnow())


def success_of(ti: TaskInstance) -> Report:
    return Report(ti.pk, ti.dispatch_id, S.SUCCESS, end_date=utcnow())


@pytest.mark.parametrize("_", TIMES)
def test_c01b_of_two_starts_one_wins(_: int) -> None:
    ti = make_ti(make_run(make_dag()))
    answers = at_once(*(lambda pid=pid: transitions.start([start_of(ti, pid)], now=utcnow(), lease_seconds=60) for pid in (1, 2)))
    won = [answer[ti.pk].won for answer in answers]
    assert sorted(won) == [False, True]
    assert not answers[won.index(False)][ti.pk].accepted
    assert TaskInstance.objects.get().pid == won.index(True) + 1
    assert StateChange.objects.count() == TaskLease.objects.count() == 1


@pytest.mark.parametrize("_", TIMES)
def test_a_clear_and_an_end_at_the_same_time_leave_one_truth(_: int) -> None:
    run = make_run(make_dag())
    ti = make_ti(run, state=S.RUNNING)
    make_lease(ti)
    answer, cleared = at_once(
        lambda: transitions.finish([success_of(ti)], now=utcnow()),
        lambda: transitions.clear([ti.pk], now=utcnow(), actor="ann"),
    )
    row = TaskInstance.objects.get()
    assert len(cleared) == 1
    assert (row.state, row.pk != ti.pk) == (None, True)
    changes = list(StateChange.objects.values_list("from_state", "to_state"))
    if answer[ti.pk].won:
        assert changes == [("running", "success"), ("success", None)]
    else:
        assert changes == [("running", None)]
        assert not answer[ti.pk].accepted
    # The process of the attempt that was taken away may still run: its lease stays, but nobody can renew it (C21-a).
    assert list(TaskLease.objects.values_list("dispatch_id", flat=True)) == ([] if answer[ti.pk].won else [NO_DISPATCH])
    assert RunEvent.objects.count() == len(changes)


@pytest.mark.parametrize("_", TIMES)
def test_a_loss_and_an_end_at_the_same_time_are_one_of_the_two(_: int) -> None:
    ti = make_ti(make_run(make_dag()), state=S.RUNNING)
    make_lease(ti)
    lost = Report(ti.pk, ti.dispatch_id, S.FAILED, end_date=utcnow(), cause="lease_lost")
    answer, rows = at_once(
        lambda: transitions.finish([success_of(ti)], now=utcnow()),
        lambda: transitions.lose([lost], now=utcnow()),
    )
    assert answer[ti.pk].won != bool(rows)
    assert TaskInstance.objects.get().state == ("success" if answer[ti.pk].won else "up_for_retry")
    assert StateChange.objects.count() == 1


@pytest.mark.parametrize("_", TIMES)
def test_a_start_and_a_requeue_at_the_same_time_give_the_attempt_to_one(_: int) -> None:
    ti = make_ti(make_run(make_dag()))
    answer, taken = at_once(
        lambda: transitions.start([start_of(ti, 1)], now=utcnow(), lease_seconds=60),
        lambda: transitions.requeue({ti.pk: ti.dispatch_id}, now=utcnow(), cause="launch_error"),
    )
    assert answer[ti.pk].won != bool(taken)
    assert TaskInstance.objects.get().state == ("running" if answer[ti.pk].won else "scheduled")


@pytest.mark.parametrize("_", TIMES)
def test_two_hand_overs_of_the_same_attempts_are_one(_: int) -> None:
    run = make_run(make_dag())
    ids = [make_ti(run, f"t{i}", state=S.SCHEDULED).pk for i in range(10)]
    first, second = at_once(
        lambda: transitions.queue(ids, queued_by=None, now=utcnow()),
        lambda: transitions.queue(ids[::-1], queued_by=None, now=utcnow()),
    )
    assert len(first) + len(second) == 10
    rows = {row.pk: row.dispatch_id for row in [*first, *second]}
    assert rows == dict(TaskInstance.objects.values_list("pk", "dispatch_id"))


@pytest.mark.parametrize("_", TIMES)
def test_of_two_schedulers_that_start_a_run_one_wins(_: int) -> None:
    run = make_run(make_dag(), state="queued")
    owners = [new_id(), new_id()]
    won = at_once(*(lambda o=owner: transitions.start_run(run.pk, scheduler_id=o, now=utcnow()) for owner in owners))
    run.refresh_from_db()
    assert sorted(won) == [False, True]
    assert run.scheduler_id == owners[won.index(True)]


@pytest.mark.parametrize("_", TIMES)
def test_a_clear_while_the_run_ends_is_never_forgotten(_: int) -> None:
    """Whichever comes first: no run ends with a task that is to run again."""
    run = make_run(make_dag())
    ti = make_ti(run, state=S.SUCCESS)
    ended, _cleared = at_once(
        lambda: transitions.finish_run(run.pk, "success", now=utcnow()),
        lambda: task_instances_clear(run, [ti.pk], actor="ann"),
    )
    run.refresh_from_db()
    assert TaskInstance.objects.get().state is None
    assert run.state == ("queued" if ended else "running")


def test_c12c_a_hammer_of_workers_and_people_on_the_same_rows_makes_no_deadlock() -> None:
    run = make_run(make_dag())
    rows = [make_ti(run, f"t{i}", state=S.RUNNING) for i in range(12)]
    for row in rows:
        make_lease(row, expires_at=utcnow() + timedelta(minutes=5))
    before, rng = deadlocks(), random.Random(1)

    def current() -> list[TaskInstance]:
        found = list(TaskInstance.objects.all())
        rng.shuffle(found)
        return found

    acts: list[Callable[[list[TaskInstance]], Any]] = [
        lambda some: transitions.finish([success_of(r) for r in some], now=utcnow()),
        lambda some: transitions.renew([Renewal(r.pk, r.dispatch_id, "h", 1) for r in some], now=utcnow(), lease_seconds=60),
        lambda some: transitions.clear([r.pk for r in some], now=utcnow(), actor="ann"),
        lambda some: transitions.schedule([r.pk for r in some], now=utcnow()),
        lambda some: transitions.queue([r.pk for r in some], queued_by=None, now=utcnow()),
        lambda some: transitions.start([start_of(r, 1) for r in some], now=utcnow(), lease_seconds=60),
        lambda some: run_clear(DagRun.objects.get(pk=run.pk), actor="bob"),
    ]
    for _ in range(8):
        at_once(*(partial(act, current()) for act in acts))
    assert deadlocks() == before
    for row in TaskInstance.objects.all():
        last = StateChange.objects.filter(task_id=row.task_id).order_by("-id").first()
        assert last is not None
        assert last.to_state == row.state
        assert TaskLease.objects.filter(ti_id=row.pk).exists() == (row.state == S.RUNNING)
    assert TaskLease.objects.exclude(dispatch_id=NO_DISPATCH).count() == TaskInstance.objects.filter(state=S.RUNNING).count()


@pytest.mark.parametrize("_", TIMES)
def test_a_mark_and_an_end_at_the_same_time_leave_the_mark(_: int) -> None:
    ti = make_ti(make_run(make_dag()), state=S.RUNNING)
    make_lease(ti)
    answer, marked = at_once(
        lambda: transitions.finish([success_of(ti)], now=utcnow()),
        lambda: transitions.mark([ti.pk], S.FAILED, now=utcnow(), actor="ann"),
    )
    assert len(marked) == 1
    assert TaskInstance.objects.get().state == S.FAILED
    assert answer[ti.pk].won == (StateChange.objects.count() == 2)
    assert not TaskLease.objects.exists()


@pytest.mark.parametrize("_", TIMES)
def test_c21a_of_a_clear_and_the_news_that_the_process_is_gone_none_makes_the_next_try_wait(_: int) -> None:
    ti = make_ti(make_run(make_dag()), state=S.RUNNING)
    make_lease(ti, expires_at=utcnow() + timedelta(hours=1))
    with transaction.atomic():
        transitions.clear([ti.pk], now=utcnow(), actor="ann")
    freed, scheduled = at_once(
        lambda: confirm_ended([ti.pk]),
        lambda: transitions.schedule([TaskInstance.objects.get().pk], now=utcnow()),
    )
    row = TaskInstance.objects.get()
    assert (freed, row.state, row.retry_at, row.wait_reason) == (1, S.SCHEDULED, None, "slots")
    waited = scheduled[0].retry_at is not None
    assert RunEvent.objects.filter(state=S.SCHEDULED).exists() == waited  # who was told to wait is told that it is over


@pytest.mark.parametrize("_", TIMES)
def test_two_clears_at_the_same_time_are_one(_: int) -> None:
    run = make_run(make_dag(), state="success")
    ti = make_ti(run, state=S.SUCCESS)
    numbers = at_once(lambda: run_clear(run, actor="ann"), lambda: run_clear(run, actor="bob"))
    assert StateChange.objects.filter(task_id="t", to_state=None).count() == 1
    assert TaskInstance.objects.get().pk != ti.pk
    run.refresh_from_db()
    assert (run.state, sorted(numbers)[-1]) == ("queued", 1)
