"""C18-b: a round that is killed in the middle left whole chunks only, and the next one goes on from the rows."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from orchestrator.config import conf
from orchestrator.kernel import faults
from orchestrator.kernel.clock import utcnow
from runs.models import DagRun, StateChange, TaskInstance
from runs.retention.round import Round
from runs.scheduler.prune_history import PruneHistory
from tests.factories import make_dag, make_run, make_ti
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

RUNS, TASKS, BATCH, KILLED_AT = 30, 4, 10, 6


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AIRFLOW__RETENTION__BATCH_ROWS", str(BATCH))
    monkeypatch.setenv("AIRFLOW__RETENTION__KEEP_RUNS_PER_DAG", "1")
    monkeypatch.setenv("AIRFLOW__RETENTION__PAUSE_SECONDS", "0.02")
    conf.reload()
    yield
    monkeypatch.undo()
    conf.reload()


def write_history() -> None:
    """Old runs with tasks and changes, and a young one."""
    dag, now = make_dag(), utcnow()
    for number in range(RUNS + 1):
        when = now - timedelta(days=400, hours=number) if number else now
        run = make_run(dag, f"r{number}", state="success", run_after=when, end_date=when)
        for task in range(TASKS):
            ti = make_ti(run, f"t{task}", state="success")
            StateChange.objects.create(dag_run=run, ti_id=ti.pk, task_id=ti.task_id, at=when)


def prune() -> list[int]:
    """One round; how many rows each transaction deleted."""
    going, sizes = Round(), []
    while (done := going.step()) is not None:
        sizes.append(done)
    return sizes


def rows() -> int:
    return sum(model._default_manager.count() for model in (DagRun, StateChange, TaskInstance))


def prune_and_die() -> int:
    """Prune in a process that is killed within its sixth transaction; returns the signal that ended it."""
    connection.close()
    pid = os.fork()
    if pid == 0:
        try:
            faults.arm(f"retention.before_commit:kill:{KILLED_AT}")
            prune()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(pid, 0)[1])


def test_c18b_a_round_that_is_killed_is_finished_by_the_next() -> None:
    write_history()
    before = rows()
    assert prune_and_die() == signal.SIGKILL
    # Five transactions are there, the sixth is not at all.
    assert before - rows() == (KILLED_AT - 1) * BATCH
    sizes = prune()
    assert max(sizes) <= BATCH
    assert list(DagRun.objects.values_list("run_id", flat=True)) == ["r0"]
    assert rows() == 1 + 2 * TASKS
    assert sum(sizes) == before - (KILLED_AT - 1) * BATCH - rows()


def test_the_duty_goes_through_the_history_beside_the_loop() -> None:
    write_history()
    duty = PruneHistory(first_after=0.0)
    deleted: list[int] = []

    def is_over() -> bool:
        result = duty.run_once(1)
        deleted.append(result.done)
        return duty._running is None

    wait_until(is_over, 60, what="the round of retention to end")
    assert sum(deleted) == RUNS * (1 + 2 * TASKS)
    assert list(DagRun.objects.values_list("run_id", flat=True)) == ["r0"]


def test_an_error_of_a_round_is_the_dutys_and_the_next_round_begins_anew() -> None:
    write_history()
    faults.arm("retention.before_commit:raise:3")
    duty = PruneHistory(first_after=0.0)

    def fails() -> bool:
        try:
            return duty.run_once(1).next_in is None
        except faults.FaultError:
            return True

    wait_until(fails, 60, what="the armed error")
    faults.arm("")
    wait_until(lambda: duty.run_once(1) and duty._running is None, 60, what="the round of retention to end")
    assert DagRun.objects.count() == 1


def test_the_end_of_the_scheduler_ends_a_round_between_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__RETENTION__PAUSE_SECONDS", "300")  # so that it is still between them when it is told to end
    conf.reload()
    write_history()
    duty = PruneHistory(first_after=0.0)
    duty.run_once(1)
    wait_until(lambda: duty.run_once(1).done > 0, 60, what="the first step")
    duty.close()
    left = rows()
    assert left > 1 + 2 * TASKS
    assert rows() == left
