"""C02-e: health is progress: it is red while a task that could begin does not, although the scheduler beats."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q
from django.test import Client

from accounts.reach import Scope, reaching
from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from runs.dispatch_lag import stuck_dispatch
from runs.models import DagRun, Pool, StateChange, TaskInstance
from runs.services_hold import hold_place
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.runs.harness import Rounds, trigger
from tests.specs import dag

pytestmark = pytest.mark.django_db


def waiting_since(seconds: float, **tasks: Any) -> tuple[DagRun, Rounds]:
    """A run whose task ``a`` is scheduled and not handed over, for so long that nothing has happened meanwhile."""
    run = trigger(dag("a", **tasks))
    rounds = Rounds()
    rounds.executor.owner_id = None
    rounds.run()
    let_pass(seconds)
    return run, rounds


def let_pass(seconds: float) -> None:
    then = utcnow() - timedelta(seconds=seconds)
    TaskInstance.objects.filter(state="scheduled").update(scheduled_dttm=then, wait_since=then)
    StateChange.objects.update(at=then)


def status() -> str:
    body = Client().get("/api/v2/monitor/health").json()
    assert set(body) == {"metadatabase", "scheduler", "triggerer", "dag_processor"}
    return str(body["scheduler"]["status"])


def test_c02e_a_ready_task_that_is_not_handed_over_for_30_s_is_unhealthy_although_the_scheduler_beats() -> None:
    run, _ = waiting_since(31)
    assert status() == "unhealthy"
    stuck = stuck_dispatch(utcnow())
    assert stuck is not None and (stuck.run_id, stuck.task_id) == (run.run_id, "a")


def test_c02e_a_wait_of_less_is_healthy() -> None:
    waiting_since(20)
    assert status() == "healthy"


def test_c02e_a_wait_for_slots_is_no_fault_of_the_scheduler() -> None:
    waiting_since(300)
    Pool.objects.update(slots=0)
    assert status() == "healthy"


def test_c02e_a_task_at_the_cap_of_its_author_is_no_fault_of_the_scheduler() -> None:
    run, _ = waiting_since(300, a={"max_active_tis_per_dag": 1})
    Dag.objects.update(has_task_concurrency_limits=True)
    assert status() == "unhealthy"
    make_ti(run, "a", map_index=5, state="running")
    assert status() == "healthy"


def test_c02e_slots_that_hidden_dags_hold_are_not_free() -> None:
    waiting_since(300)
    Pool.objects.update(slots=1)
    make_ti(make_run(make_dag("secret")), "t", state="running")
    with reaching(Scope(Q(pk="d"), "vic")):
        assert stuck_dispatch(utcnow()) is None


def test_c02e_what_moves_in_hidden_dags_moves() -> None:
    waiting_since(300)
    hidden = make_run(make_dag("secret"))
    StateChange.objects.create(dag_run=hidden, task_id="t", try_number=1, from_state="scheduled", to_state="queued", at=utcnow())
    with reaching(Scope(Q(pk="d"), "vic")):
        assert stuck_dispatch(utcnow()) is None


def test_c02e_a_paused_dag_a_hold_and_an_unknown_pool_are_no_fault_of_the_scheduler() -> None:
    run, _ = waiting_since(300)
    TaskInstance.objects.update(pool="nowhere")
    assert status() == "healthy"
    TaskInstance.objects.update(pool="default_pool")
    assert status() == "unhealthy"
    Dag.objects.update(is_paused=True)
    assert status() == "healthy"
    Dag.objects.update(is_paused=False)
    with transaction.atomic():
        hold_place(run, by="ann", now=utcnow())
    assert status() == "healthy"


def test_c02e_while_others_are_handed_over_a_backlog_is_healthy() -> None:
    run, _ = waiting_since(300)
    ti = make_ti(run, "b")
    StateChange.objects.create(dag_run=run, ti_id=ti.pk, task_id="b", from_state="scheduled", to_state="queued", at=utcnow())
    assert status() == "healthy"


def test_c02e_without_waiting_work_health_costs_two_queries_and_one_for_what_has_ended(
    django_assert_num_queries: Any,
) -> None:
    Rounds()
    times = {"started_at": NOON, "heartbeat_at": NOON, "ended_at": NOON}
    ended = [Process.objects.create(kind=kind, pid=1, **times) for kind in ("triggerer", "dag_processor")]
    with django_assert_num_queries(3):
        answer = Client().get("/api/v2/monitor/health").json()
    assert [answer[part.kind]["status"] for part in ended] == ["unhealthy", "unhealthy"]
    assert [answer[part.kind][f"latest_{part.kind}_heartbeat"] for part in ended] == [NOON.isoformat()] * 2
    Process.objects.update(ended_at=None, heartbeat_at=utcnow())
    with django_assert_num_queries(2):
        assert status() == "healthy"
