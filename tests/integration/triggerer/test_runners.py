"""Real runners under a triggerer: a blocking trigger gets a process of its own, a deadly one fails alone, an idle one ends."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from orchestrator.sdk.serialization.values import encode
from runs import transitions
from runs.models import DagRun, TaskInstance, Trigger
from runs.reports import Deferral
from runs.triggerer import lanes
from runs.triggerer.lane import Lane
from runs.triggerer.lanes import Lanes
from tests.factories import make_dag, make_run, make_ti
from tests.integration.triggerer.lanes import Triggerer
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TIMER = "airflow.providers.standard.triggers.temporal.DateTimeTrigger"
TRIGGERS = """
import asyncio, os, time
from airflow.triggers.base import BaseTrigger, TriggerEvent

class Sleepy(BaseTrigger):
    def serialize(self):
        return "rude_triggers.Sleepy", {}

    async def run(self):
        while True:
            time.sleep(1.3)
            await asyncio.sleep(0.01)
        yield TriggerEvent(None)

class Endless(Sleepy):
    async def run(self):
        time.sleep(3600)
        yield TriggerEvent(None)

class Deadly(Sleepy):
    async def run(self):
        os._exit(7)
        yield TriggerEvent(None)

class Asks(Sleepy):
    async def run(self):
        from airflow.sdk import Variable
        yield TriggerEvent(Variable.get("greeting"))
"""


class Real(Triggerer):
    """A triggerer with real runners."""

    def __init__(self, folder: Path, idle_seconds: float = 60.0) -> None:
        super().__init__()
        self.lanes = Lanes([str(folder)], idle_seconds)
        self.reports.lanes = self.claims.lanes = self.lanes

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Run rounds as news come until something is true."""

        def round_done() -> bool:
            select.select(list(self.lanes.descriptors()), [], [], 0.05)
            self.look()
            return done()

        wait_until(round_done, 90, what=what, interval=0.0)

    def lanes_of(self, trigger_id: int) -> list[Lane]:
        """Return the runners that have a trigger."""
        return [lane for lane in self.lanes._lanes if trigger_id in lane.triggers]

    def is_alone(self, trigger_id: int) -> bool:
        """Whether a trigger runs in a runner that gets no other."""
        lanes = self.lanes_of(trigger_id)
        return bool(lanes) and lanes[0] is not self.lanes._main and lanes[0].triggers == {trigger_id}


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    (tmp_path / "rude_triggers.py").write_text(TRIGGERS)
    triggerer = Real(tmp_path)
    yield triggerer
    triggerer.lanes.kill()


def run_of(tasks: int) -> DagRun:
    dag = make_dag("d", DagSpec(dag_id="d", tasks=[TaskSpec(task_id=f"t{n}") for n in range(tasks)]))
    return make_run(dag)


def wait_for(run: DagRun, number: int, classpath: str, **kwargs: object) -> int:
    """Have a task wait for a trigger; returns the trigger's id."""
    import json

    row = make_ti(run, f"t{number}", state="running")
    with transaction.atomic():
        deferral = Deferral(row.id, row.dispatch_id, classpath, json.dumps(encode(kwargs)), "done", {})
        assert transitions.defer([deferral], now=utcnow())[row.id].won
    return int(Trigger.objects.get(ti_id=row.id).pk)


def test_a_trigger_that_blocks_again_and_again_is_moved_away_from_500_others(real: Real) -> None:
    """C15-a."""
    run = run_of(501)
    rude = wait_for(run, 0, "rude_triggers.Sleepy")
    moment = utcnow() + timedelta(seconds=5)
    for number in range(1, 501):
        wait_for(run, number, TIMER, moment=moment)
    real.until(lambda: rude in real.lanes.running, "the rude trigger to be claimed")
    real.until(lambda: real.is_alone(rude), "the rude trigger to be moved")
    real.until(lambda: TaskInstance.objects.filter(state="scheduled").count() == 500, "the timers to fire")
    assert real.lanes.running == {rude}
    assert TaskInstance.objects.get(state="deferred").task_id == "t0"


def test_a_trigger_that_blocks_without_end_loses_its_process_and_the_others_go_on(
    real: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C15-a."""
    monkeypatch.setattr(lanes, "HOPELESS_SECONDS", 1.0)
    run = run_of(2)
    endless = wait_for(run, 0, "rude_triggers.Endless")
    wait_for(run, 1, TIMER, moment=utcnow() + timedelta(seconds=1))
    real.until(lambda: TaskInstance.objects.get(task_id="t1").state == "scheduled", "the timer to fire")
    real.until(lambda: real.is_alone(endless), "the endless trigger to be alone")


def test_a_trigger_that_ends_its_process_fails_alone(real: Real) -> None:
    """I4."""
    run = run_of(4)
    deadly = wait_for(run, 0, "rude_triggers.Deadly")
    moment = utcnow() + timedelta(hours=1)
    good = {wait_for(run, number, TIMER, moment=moment) for number in range(1, 4)}
    real.until(lambda: deadly not in real.lanes.running and real.lanes.running == good, "the deadly trigger to fail")
    real.until(lambda: all(real.lanes_of(trigger_id) for trigger_id in good), "the others to run")
    row = TaskInstance.objects.get(task_id="t0")
    assert row.next_method == "__fail__"
    assert "ended with 7" in "".join(row.next_kwargs["traceback"])


def test_a_trigger_reads_a_variable(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_GREETING", "hello")
    asks = wait_for(run_of(1), 0, "rude_triggers.Asks")
    real.until(lambda: asks not in real.lanes.running and not Trigger.objects.exists(), "the answer")
    assert TaskInstance.objects.get().next_kwargs == {"event": "hello"}


def test_the_runner_starts_with_the_first_trigger_and_ends_when_idle(real: Real) -> None:
    real.look()
    assert real.lanes.is_empty
    real.lanes.idle_seconds = 0.0
    wait_for(run_of(1), 0, TIMER, moment=utcnow())
    real.until(lambda: not Trigger.objects.exists(), "the event")
    real.until(lambda: real.lanes.is_empty, "the runner to end")


def test_a_runner_has_no_database_url_and_no_key_in_its_environment(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CORE__FERNET_KEY", "DATABASE_URL"):
        monkeypatch.setenv(name, "sqlite:////secret")
    trigger_id = wait_for(run_of(1), 0, TIMER, moment=utcnow() + timedelta(hours=1))
    real.until(lambda: trigger_id in real.lanes.running, "the trigger to run")
    (lane,) = real.lanes._lanes
    environment = Path(f"/proc/{lane.pid}/environ").read_bytes()
    assert b"secret" not in environment
    assert b"DJANGO_SETTINGS_MODULE" not in environment
