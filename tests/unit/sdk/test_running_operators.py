"""What the standard operators do when they run."""

import os
import re
import selectors
import signal
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.sdk import DAG, BaseSensorOperator, PokeReturnValue, TaskGroup, task
from orchestrator.sdk.exceptions import (
    AirflowException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    DagRunTriggerException,
    DownstreamTasksSkipped,
)
from orchestrator.sdk.operators.bash import BashOperator
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator
from orchestrator.sdk.operators.trigger_dagrun import TriggerDagRunOperator
from orchestrator.sdk.operators.virtualenv import ExternalPythonOperator
from orchestrator.sdk.sensors.external_task import ExternalTaskSensor
from tests.unit.sdk.running import context_of
from tests.waiting import wait_until


def run(operator: Any, **more: Any) -> Any:
    ready = operator.prepare_for_execution()
    return ready.execute(context_of(ready, **more))


def test_a_function_gets_only_the_names_of_the_context_that_it_accepts() -> None:
    with DAG("d"):
        operator = PythonOperator(task_id="t", python_callable=lambda a, ds, b=2: (a, ds, b), op_kwargs={"a": 1, "other": 5})
    assert run(operator) == (1, "2024-01-01", 2)


def test_a_function_with_keywords_gets_the_whole_context() -> None:
    with DAG("d"):
        operator = PythonOperator(task_id="t", python_callable=lambda **kwargs: sorted({"ds", "ti", "mine"} & kwargs.keys()))
        operator.op_kwargs = {"mine": 1}
    assert run(operator) == ["ds", "mine", "ti"]


def test_a_positional_argument_may_not_take_the_place_of_a_context_name() -> None:
    with DAG("d"):
        operator = PythonOperator(task_id="t", python_callable=lambda ds: ds, op_args=[1])
    with pytest.raises(ValueError, match="ds"):
        run(operator)


def test_a_coroutine_function_is_awaited() -> None:
    async def work(ds: str) -> str:
        return ds

    with DAG("d"):
        operator = PythonOperator(task_id="t", python_callable=work)
    assert operator.is_async
    assert run(operator) == "2024-01-01"


def test_the_last_line_of_a_command_is_its_result() -> None:
    with DAG("d"):
        operator = BashOperator(task_id="t", bash_command="echo one; echo two >&2; echo {last}", output_processor=str.upper)
    assert run(operator) == "{LAST}"


def test_a_command_gets_facts_about_its_task_and_only_the_given_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTSIDE", "yes")
    command = 'echo "$AIRFLOW_CTX_TASK_ID-${OUTSIDE:-none}-$MINE"'
    with DAG("d"):
        only = BashOperator(task_id="only", bash_command=command, env={"MINE": "1"})
        both = BashOperator(task_id="both", bash_command=command, env={"MINE": "1"}, append_env=True)
    assert (run(only), run(both)) == ("only-none-1", "both-yes-1")


@pytest.mark.parametrize(("code", "error"), [(99, AirflowSkipException), (3, AirflowException)])
def test_the_exit_code_decides_between_skipped_and_failed(code: int, error: type[Exception]) -> None:
    with DAG("d"):
        operator = BashOperator(task_id="t", bash_command=f"exit {code}")
    with pytest.raises(error, match=str(code)):
        run(operator)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with DAG("d"):
        operator = BashOperator(task_id="t", bash_command="pwd", cwd=str(tmp_path / "missing"))
    with pytest.raises(AirflowException, match="missing"):
        run(operator)


def test_a_kill_reaches_the_children_of_a_command(tmp_path: Path) -> None:
    pipe = tmp_path / "pid"
    os.mkfifo(pipe)
    with DAG("d"):
        operator = BashOperator(task_id="t", bash_command=f"(sh -c 'echo $$ > {pipe}; exec sleep 600') & wait")
    errors: list[BaseException] = []

    def work() -> None:
        try:
            operator.execute(context_of(operator))
        except AirflowException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    child = os.pidfd_open(int(pipe.read_text()))
    # The command may speak before the thread that has started it knows of it.
    wait_until(lambda: operator.subprocess_hook.sub_process, what="the thread to know its command")
    operator.on_kill()
    thread.join(60)
    assert not thread.is_alive()
    assert str(-signal.SIGTERM) in str(errors[0])
    assert _wait_gone(child)
    os.close(child)


def _wait_gone(handle: int) -> bool:
    """Return whether the process ends within a minute."""
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        return bool(selector.select(timeout=60))


def branching(choice: Any) -> tuple[Any, DAG]:
    with DAG("d") as dag:
        branch = BranchPythonOperator(task_id="branch", python_callable=lambda: choice)
        a, b, join = (EmptyOperator(task_id=name) for name in ("a", "b", "join"))
        with TaskGroup("g") as group:
            EmptyOperator(task_id="x") >> EmptyOperator(task_id="y")
        branch >> [a, b, group] >> join
    return branch, dag


@pytest.mark.parametrize(
    ("choice", "skipped"),
    [("a", ["b", "g.x"]), (["a", "b"], ["g.x"]), ("g", ["a", "b"]), (None, ["a", "b", "g.x", "join"])],
)
def test_a_branch_skips_the_direct_downstream_tasks_that_it_does_not_lead_to(choice: Any, skipped: list[str]) -> None:
    branch, _ = branching(choice)
    branch.downstream_task_ids.add("join")
    with pytest.raises(DownstreamTasksSkipped) as stop:
        run(branch)
    assert sorted(stop.value.tasks) == skipped


def test_the_choice_of_a_branch_that_skips_something_is_kept_for_a_clear_and_is_no_return_value() -> None:
    branch, _ = branching("a")
    context = context_of(branch)
    with pytest.raises(DownstreamTasksSkipped):
        branch.execute(context)
    assert ("branch", "return_value") not in context["ti"].pushed
    assert context["ti"].pushed["branch", "skipmixin_key"] == {"followed": ["a"]}


def test_a_join_that_a_chosen_branch_leads_to_is_followed_too() -> None:
    branch, _ = branching("a")
    branch.downstream_task_ids.add("join")
    context = context_of(branch)
    with pytest.raises(DownstreamTasksSkipped):
        branch.execute(context)
    assert context["ti"].pushed["branch", "skipmixin_key"] == {"followed": ["a", "join"]}


def test_an_unknown_branch_is_named() -> None:
    branch, _ = branching("nowhere")
    with pytest.raises(AirflowException, match="nowhere"):
        run(branch)


@pytest.mark.parametrize(("obey", "skipped"), [(False, {"a", "b"}), (True, {"a"})])
def test_a_short_circuit_skips_all_that_follows_or_only_the_next(obey: bool, skipped: set[str]) -> None:
    with DAG("d"):
        stop = ShortCircuitOperator(task_id="stop", python_callable=lambda: False, ignore_downstream_trigger_rules=not obey)
        stop >> EmptyOperator(task_id="a") >> EmptyOperator(task_id="b")
    context = context_of(stop)
    with pytest.raises(DownstreamTasksSkipped) as error:
        stop.execute(context)
    assert set(error.value.tasks) == skipped
    assert ("stop", "return_value") not in context["ti"].pushed


def test_a_short_circuit_goes_on_with_something_true() -> None:
    with DAG("d"):
        stop = ShortCircuitOperator(task_id="stop", python_callable=lambda: "yes")
        stop >> EmptyOperator(task_id="a")
    assert run(stop) == "yes"


class Pokes(BaseSensorOperator):
    def __init__(self, answers: list[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.answers = answers

    def poke(self, context: Any) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_sensor_pokes_until_it_is_done_and_returns_the_value() -> None:
    with DAG("d"):
        sensor = Pokes(task_id="s", answers=[False, False, PokeReturnValue(True, "found")], poke_interval=0)
    assert run(sensor) == "found"


@pytest.mark.parametrize(("soft", "error"), [(False, AirflowSensorTimeout), (True, AirflowSkipException)])
def test_a_sensor_that_waits_too_long_fails_or_skips(soft: bool, error: type[Exception]) -> None:
    with DAG("d"):
        sensor = Pokes(task_id="s", answers=[False], timeout=0, poke_interval=0, soft_fail=soft)
    with pytest.raises(error, match="timed out"):
        run(sensor)


def test_a_sensor_in_reschedule_mode_gives_its_slot_back() -> None:
    with DAG("d"):
        sensor = Pokes(task_id="s", answers=[False], mode="reschedule", poke_interval=timedelta(minutes=5))
    context = context_of(sensor, task_reschedule_count=0)
    context["ti"].get_first_reschedule_date = lambda context: None
    from orchestrator.sdk import timezone

    before = timezone.utcnow()
    with pytest.raises(AirflowRescheduleException) as stop:
        sensor.execute(context)
    assert stop.value.reschedule_date >= before + timedelta(minutes=5)


def test_silent_fail_takes_an_error_for_not_yet() -> None:
    with DAG("d"):
        sensor = Pokes(task_id="s", answers=[ValueError("x"), True], poke_interval=0, silent_fail=True)
    assert run(sensor) is None


def test_exponential_waits_grow_and_are_capped() -> None:
    with DAG("d"):
        sensor = Pokes(task_id="s", answers=[], poke_interval=10, exponential_backoff=True, max_wait=60, timeout=10_000)
    waits = [sensor._get_next_poke_interval(0.0, lambda: 0.0, count) for count in range(1, 8)]
    assert 5 <= waits[0] < 10 <= waits[1] < 20
    assert waits[-1] == 60


def test_a_trigger_asks_the_runner_for_a_run() -> None:
    with DAG("d"):
        operator = TriggerDagRunOperator(
            task_id="t", trigger_dag_id="other", trigger_run_id="r1", conf={"a": 1}, logical_date=None, failed_states=[]
        )
    with pytest.raises(DagRunTriggerException) as ask:
        run(operator)
    asked = ask.value
    assert (asked.trigger_dag_id, asked.dag_run_id, asked.conf, asked.logical_date) == ("other", "r1", {"a": 1}, None)
    assert (asked.allowed_states, asked.failed_states) == (["success"], [])


def double(number: int, plus: int = 0) -> int:
    return number * 2 + plus


def test_a_function_runs_in_another_interpreter() -> None:
    import sys

    with DAG("d"):
        operator = ExternalPythonOperator(
            task_id="t", python=sys.executable, python_callable=double, op_args=[21], op_kwargs={"plus": 1}, expect_airflow=False
        )
    assert run(operator) == 43


def test_skip_if_and_run_if_look_at_the_context() -> None:
    with DAG("d"):

        @task.skip_if(lambda context: context["ds"] == "2024-01-01", "not today")
        @task
        def work() -> None: ...

        operator = work().operator
    with pytest.raises(AirflowSkipException, match="not today"):
        operator._pre_execute_hook(context_of(operator))
    operator._pre_execute_hook(context_of(operator, ds="2024-01-02"))


def test_the_command_that_a_bash_function_returns_is_rendered_and_run() -> None:
    with DAG("d"):

        @task.bash
        def command(word: str) -> str:
            return f"echo {word} {{{{ ds }}}}"

        operator = command("hello").operator
    assert run(operator) == "hello 2024-01-01"


def test_each_index_of_a_mapped_task_gets_its_own_arguments() -> None:
    with DAG("d"):

        @task
        def add(x: int, y: int) -> int:
            return x + y

        mapped = add.partial(y=10).expand(x=[1, 2, 3]).operator
    results = []
    for index in range(3):
        context = context_of(mapped, map_index=index)
        one = mapped.render_template_fields(context)
        results.append(one.execute(context))
    assert results == [11, 12, 13]


def test_mapped_arguments_are_combined_with_the_last_one_moving_fastest() -> None:
    with DAG("d"):
        mapped = BashOperator.partial(task_id="m", env={}).expand(bash_command=["a", "b"], cwd=["1", "2"])
    pairs = []
    for index in range(4):
        one = mapped.render_template_fields(context_of(mapped, map_index=index))
        pairs.append((one.bash_command, one.cwd))
    assert pairs == [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]


@pytest.mark.parametrize(
    ("arguments", "logical", "pattern"),
    [
        ({"logical_date": "2026-01-02T00:00:00+00:00"}, True, r"manual__2026-01-02T00:00:00\+00:00"),
        ({"run_after": "2026-01-03T00:00:00+00:00"}, False, r"manual__2026-01-03T00:00:00\+00:00_\w{8}"),
        ({"logical_date": None}, False, r"manual__.*_\w{8}"),
        ({}, True, r"manual__\d{4}-\d\d-\d\dT[^_]*"),
    ],
)
def test_a_triggered_run_without_a_logical_date_has_a_suffix_in_its_id(
    arguments: dict[str, Any], logical: bool, pattern: str
) -> None:
    with DAG("d"):
        operator = TriggerDagRunOperator(task_id="t", trigger_dag_id="other", **arguments)
    with pytest.raises(DagRunTriggerException) as ask:
        run(operator)
    assert (ask.value.logical_date is not None) == logical
    assert re.fullmatch(pattern, ask.value.dag_run_id)


def test_a_task_that_a_sensor_waits_for_twice_fails_it_when_it_pokes_and_not_before() -> None:
    with DAG("d"):
        sensor = ExternalTaskSensor(task_id="s", external_dag_id="other", external_task_ids=["a", "a"])
    with pytest.raises(ValueError, match="twice"):
        sensor.poke(context_of(sensor))
