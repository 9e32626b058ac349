"""DAGs for runs in memory: one per feature, each made by a function."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from orchestrator.sdk import DAG, Asset, AssetAlias, BaseSensorOperator, Param, Variable, setup, task, task_group, teardown
from orchestrator.sdk.definitions.connection import Connection
from orchestrator.sdk.exceptions import AirflowSkipException
from orchestrator.sdk.operators.bash import BashOperator
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.operators.trigger_dagrun import TriggerDagRunOperator
from orchestrator.sdk.sensors.date_time import DateTimeSensorAsync
from orchestrator.sdk.triggers.base import BaseTrigger, TriggerEvent


def retried(needed: int, delay_hours: float = 5.0) -> DAG:
    with DAG("retried") as dag:

        @task(retries=2, retry_delay=timedelta(hours=delay_hours), retry_exponential_backoff=True)
        def flaky(ti: Any = None) -> int:
            if ti.try_number < needed:
                raise ValueError("not yet")
            return int(ti.try_number)

        flaky() >> EmptyOperator(task_id="after")
    return dag


def mapped(length: int) -> DAG:
    with DAG("mapped") as dag:

        @task
        def numbers() -> list[int]:
            return list(range(length))

        @task(map_index_template="n={{ x }}")
        def double(x: int) -> int:
            if x == 1:
                raise AirflowSkipException("not one")
            return 2 * x

        @task(trigger_rule="all_done")
        def total(values: Any) -> int:
            return sum(value for value in values if value is not None)

        total(double.expand(x=numbers()))
    return dag


def mapped_group() -> DAG:
    with DAG("mapped_group") as dag:

        @task
        def add(x: int) -> int:
            return x + 1

        @task
        def times(x: int) -> int:
            return x * 10

        @task_group
        def both(x: int) -> Any:
            return times(add(x))

        @task
        def collect(values: Any) -> list[int]:
            return sorted(values)

        collect(both.expand(x=[1, 2, 3]))
    return dag


def branching() -> DAG:
    with DAG("branching") as dag:

        @task.branch
        def choose(params: Any = None) -> str:
            return str(params["way"])

        left, right = EmptyOperator(task_id="left"), EmptyOperator(task_id="right")
        join = EmptyOperator(task_id="join", trigger_rule="none_failed_min_one_success")
        choose() >> [left, right] >> join
    dag.params["way"] = Param("left", enum=["left", "right"])
    return dag


def setup_and_teardown() -> DAG:
    with DAG("rooms") as dag:

        @setup
        def prepare() -> None:
            return None

        @task
        def work() -> None:
            raise RuntimeError("broken")

        @teardown
        def clean() -> str:
            return "cleaned"

        prepare() >> work() >> clean()
    return dag


class Counting(BaseTrigger):
    """Fires at once with what it was given."""

    def __init__(self, value: int) -> None:
        super().__init__()
        self.value = value

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.Counting", {"value": self.value}

    async def run(self) -> Any:
        yield TriggerEvent(self.value + 1)


class Never(Counting):
    """Never fires."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.Never", {"value": self.value}

    async def run(self) -> Any:
        import asyncio

        await asyncio.Event().wait()
        yield TriggerEvent(None)


class Defers(BaseSensorOperator):
    def __init__(self, trigger: BaseTrigger, limit: timedelta | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.trigger, self.limit = trigger, limit

    def execute(self, context: Any) -> Any:
        self.defer(trigger=self.trigger, method_name="resume", timeout=self.limit)

    def resume(self, context: Any, event: Any = None) -> Any:
        return event


def deferred() -> DAG:
    with DAG("deferred") as dag:
        Defers(task_id="one", trigger=Counting(1)) >> Defers(task_id="two", trigger=Counting(5))
        DateTimeSensorAsync(task_id="far", target_time="2999-01-01T00:00:00+00:00", timeout=10**12)
    return dag


def deferred_events() -> DAG:
    with DAG("deferred_events") as dag:
        Defers(task_id="one", trigger=Counting(1)) >> Defers(task_id="two", trigger=Counting(5))
    return dag


def deferred_too_long() -> DAG:
    with DAG("late") as dag:
        Defers(task_id="late", trigger=Never(1), limit=timedelta(milliseconds=10))
    return dag


class ThirdTime(BaseSensorOperator):
    def poke(self, context: Any) -> bool:
        return int(context["task_reschedule_count"]) >= 2


def rescheduled(timeout: float) -> DAG:
    with DAG("rescheduled") as dag:
        ThirdTime(task_id="wait", mode="reschedule", poke_interval=3600, timeout=timeout)
    return dag


def stores() -> DAG:
    with DAG("stores") as dag:

        @task
        def read() -> list[Any]:
            return [Variable.get("v"), Variable.get("none", default="d"), Connection.get("c").host]

        @task
        def write() -> None:
            Variable.set("written", "yes")

        read()
        write()
        BashOperator(task_id="say", bash_command="echo {{ var.value.v }} {{ var.json.j.x.y }} {{ conn.c.extra_dejson.k }}")
    return dag


def assets() -> DAG:
    orders = Asset("orders", uri="s3://shop/orders")
    with DAG("assets") as dag:

        @task(outlets=[orders])
        def write(outlet_events: Any = None) -> None:
            outlet_events[orders].extra = {"rows": 3}

        @task(outlets=[AssetAlias("any")])
        def alias(outlet_events: Any = None) -> None:
            outlet_events[AssetAlias("any")].add(Asset("made", uri="s3://shop/made"), extra={"n": 1})

        @task(inlets=[orders])
        def read(inlet_events: Any = None) -> Any:
            return [event.extra for event in inlet_events[orders]]

        write() >> alias() >> read()
    return dag


def triggering() -> DAG:
    with DAG("triggering") as dag:
        TriggerDagRunOperator(task_id="go", trigger_dag_id="other", trigger_run_id="r1", conf={"a": 1}, wait_for_completion=True)
    return dag


def stopping_fast() -> DAG:
    with DAG("fast", fail_fast=True) as dag:

        @task
        def broken() -> None:
            raise ValueError("no")

        broken()
        broken.override(task_id="slow")() >> EmptyOperator(task_id="below")
    return dag
