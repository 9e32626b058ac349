"""Which triggerer runs which trigger, and how long a task that starts in its trigger may wait."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.operator import BaseOperator
from orchestrator.sdk.execution import results
from orchestrator.sdk.sensors.date_time import DateTimeSensorAsync
from orchestrator.sdk.serialization.encode import encode_dag
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from orchestrator.sdk.triggers.base import BaseTrigger, StartTriggerArgs
from runs.models import TaskInstance, Trigger
from tests.integration.runs.harness import Rounds, states, trigger
from tests.integration.triggerer.lanes import Triggerer
from tests.integration.triggerer.test_waits import Waiting

pytestmark = pytest.mark.django_db(transaction=True)


class Wait(BaseTrigger):
    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "m.Wait", {}


def test_a_triggerer_runs_only_the_triggers_of_its_queues_and_one_without_queues_only_those_without() -> None:
    waiting = Waiting(tasks=3)
    ids = waiting.triggers()
    for trigger_id, queue in zip(ids, (None, "gpu", "far"), strict=True):
        Trigger.objects.filter(pk=trigger_id).update(queue=queue)
    plain, gpu, both = Triggerer(), Triggerer(["gpu"]), Triggerer(["gpu", "far"])
    plain.look()
    gpu.look()
    both.look()
    assert [sorted(one.lanes.running) for one in (plain, gpu, both)] == [[ids[0]], [ids[1]], [ids[2]]]


@pytest.mark.parametrize(("enabled", "supported", "queue"), [(True, True, "gpu"), (True, False, None), (False, True, None)])
def test_a_trigger_has_the_queue_of_its_task_where_queues_are_on(
    monkeypatch: pytest.MonkeyPatch, enabled: bool, supported: bool, queue: str | None
) -> None:
    monkeypatch.setenv("AIRFLOW__TRIGGERER__QUEUES_ENABLED", str(enabled))
    wait = Wait()
    wait.supports_triggerer_queue = supported
    ti: Any = SimpleNamespace(task=SimpleNamespace(queue="gpu"), rendered_map_index=None)
    message = results.deferred(ti, SimpleNamespace(trigger=wait, timeout=None, method_name="done", kwargs=None))
    assert message["queue"] == queue


def test_queues_without_the_option_are_refused_with_what_to_do() -> None:
    with pytest.raises(CommandError, match="queues_enabled is True"):
        call_command("triggerer", queues="gpu")


@pytest.mark.parametrize(
    ("timeout", "execution", "expected"), [(60.0, 10.0, 10), (5.0, 10.0, 5), (None, 7.0, 7), (None, None, None)]
)
def test_execution_timeout_bounds_a_wait_that_begins_without_a_worker(
    timeout: float | None, execution: float | None, expected: int | None
) -> None:
    args = {"trigger_cls": "m.T", "trigger_kwargs": {}, "next_method": "done", "next_kwargs": None, "timeout": timeout}
    spec = TaskSpec(task_id="t", start_from_trigger=True, start_trigger_args=args, execution_timeout=execution)
    before = utcnow()
    trigger(DagSpec(dag_id="d", tasks=[spec]))
    Rounds().run()
    after = utcnow()
    at = TaskInstance.objects.get().trigger_timeout
    if expected is None:
        assert at is None
    else:
        assert at is not None
        assert before <= at - timedelta(seconds=expected) <= after


def test_each_index_of_a_mapped_task_starts_in_its_trigger_where_its_class_says_so() -> None:
    class Starts(BaseOperator):
        start_from_trigger = True
        start_trigger_args = StartTriggerArgs(trigger_cls="m.T", next_method="done", trigger_kwargs={"a": 1})

        def __init__(self, x: int = 0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.x = x

    with DAG("d", schedule=None) as dag:
        Starts.partial(task_id="t").expand(x=[1, 2])
        DateTimeSensorAsync.partial(task_id="by_argument", start_from_trigger=True).expand(target_time=["2020-01-01T00:00:00Z"])
    run = trigger(encode_dag(dag))
    rounds = Rounds()
    rounds.run()
    assert states(run) == {"t[0]": "deferred", "t[1]": "deferred", "by_argument[0]": "queued"}
    assert Trigger.objects.count() == 2


def test_the_option_is_one_of_this_platform() -> None:
    assert conf.get("triggerer", "queues_enabled") is False
