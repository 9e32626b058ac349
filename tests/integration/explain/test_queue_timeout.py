"""C02-a, C02-f: an attempt that waits in its queue for longer than the limit fails like any other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from dags_app.models import Dag
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from runs.models import TaskInstance, TaskInstanceHistory
from runs.scheduler.expire_queued import ExpireQueued
from tests.integration.runs.harness import Rounds, states, trigger
from tests.specs import dag

pytestmark = pytest.mark.django_db


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AIRFLOW__SCHEDULER__QUEUE_MAX_WAIT_SECONDS", "60")
    conf.reload()
    yield
    monkeypatch.undo()
    conf.reload()


def wait_for(seconds: float) -> None:
    TaskInstance.objects.update(scheduled_dttm=utcnow() - timedelta(seconds=seconds))


@pytest.mark.parametrize("has_worker", [True, False])
def test_c02f_who_waits_too_long_fails_and_what_follows_learns_it(limit: None, has_worker: bool) -> None:
    run = trigger(dag("a >> b"))
    rounds = Rounds()
    rounds.executor.owner_id = rounds.executor.owner_id if has_worker else None
    rounds.run()
    wait_for(61)
    rounds.run()
    rounds.run()
    assert states(run) == {"a": "failed", "b": "upstream_failed"}
    ti = TaskInstance.objects.get(task_id="a")
    assert ti.cause == "queue_timeout" and "queue_max_wait_seconds = 60" in (ti.cause_detail or "")
    run.refresh_from_db()
    assert run.state == "failed"


def test_c02f_the_authors_retries_apply(limit: None) -> None:
    run = trigger(dag("a", a={"retries": 1}))
    rounds = Rounds()
    rounds.run()
    wait_for(61)
    rounds.run()
    assert states(run) == {"a": "up_for_retry"}
    assert TaskInstanceHistory.objects.get().cause == "queue_timeout"


def test_c02a_a_pause_does_not_run_out_of_time_and_a_shorter_wait_is_left_alone(limit: None) -> None:
    run = trigger(dag("a"))
    rounds = Rounds()
    rounds.run()
    wait_for(50)
    rounds.run()
    assert states(run) == {"a": "queued"}
    wait_for(61)
    Dag.objects.update(is_paused=True)
    assert ExpireQueued().run_once(10).done == 0


def test_c02a_without_a_limit_nothing_is_read(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    with django_assert_num_queries(0):
        assert ExpireQueued().run_once(10).done == 0
