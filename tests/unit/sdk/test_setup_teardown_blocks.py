"""The edges that ``with setup >> teardown:`` draws, as Airflow 3.3.2 draws them."""

from typing import Any

import pytest

from orchestrator.sdk import DAG, task, teardown
from orchestrator.sdk.exceptions import AirflowException
from orchestrator.sdk.operators.bash import BashOperator
from orchestrator.sdk.operators.empty import EmptyOperator as E
from orchestrator.sdk.serialization.encode import encode_dag


def edges(dag: DAG) -> set[str]:
    return {f"{task.task_id}>{down}" for task in dag.tasks for down in task.downstream_task_ids}


def test_the_block_stands_between_setup_and_teardown() -> None:
    with DAG("d", schedule=None) as dag, E(task_id="s").as_setup() >> E(task_id="t").as_teardown():
        E(task_id="a") >> E(task_id="b")
        E(task_id="c")
    assert edges(dag) == {"s>t", "s>a", "a>b", "b>t", "s>c", "c>t"}


def test_a_block_inside_another_nests_and_ends_what_the_outer_one_takes() -> None:
    with DAG("d", schedule=None) as dag:
        s1, t1, s2, t2 = (E(task_id=name) for name in ("s1", "t1", "s2", "t2"))
        with t1.as_teardown(setups=s1):
            a = E(task_id="a")
            with t2.as_teardown(setups=s2):
                b = E(task_id="b")
            c = E(task_id="c")
            a >> b >> c
    inner = {"s2>b", "b>t2", "s2>t2", "s1>s2", "t2>t1"}
    assert edges(dag) == inner | {"s1>t1", "s1>a", "a>b", "b>c", "a>t1"}


def test_after_a_block_inside_no_task_can_be_added_to_the_outer_one() -> None:
    with DAG("d", schedule=None):
        late = E(task_id="late")
        with E(task_id="t1").as_teardown(setups=E(task_id="s1")) as scope:
            with E(task_id="t2").as_teardown(setups=E(task_id="s2")):
                E(task_id="b")
            with pytest.raises(AirflowException):
                scope.add_task(late)


@pytest.mark.parametrize("make", [lambda t: t.as_setup().as_teardown(), lambda t: t.as_teardown().as_setup()])
def test_no_task_is_setup_and_teardown_at_once(make: Any) -> None:
    with DAG("d", schedule=None), pytest.raises(ValueError, match="cannot be a"):
        make(E(task_id="t"))


def test_a_teardown_cannot_have_a_teardown() -> None:
    with DAG("d", schedule=None):
        first = E(task_id="first").as_teardown()
        with pytest.raises(ValueError, match="'first' is a teardown already"):
            E(task_id="second").as_teardown(setups=first)


def test_a_mapped_task_may_be_both_as_in_airflow() -> None:
    with DAG("d", schedule=None):
        task = BashOperator.partial(task_id="t").expand(bash_command=["true"]).as_setup().as_teardown()
    assert (task.is_setup, task.is_teardown) == (True, True)


def test_the_teardown_flag_of_a_mapped_task_reaches_the_server() -> None:
    """Airflow 3.3.2 loses it on the way, and a run with a failed teardown succeeds there; what an author asks for counts here."""
    with DAG("d", schedule=None) as dag:
        E(task_id="s") >> BashOperator.partial(task_id="t").expand(bash_command=["false"]).as_teardown(
            on_failure_fail_dagrun=True
        )
    assert encode_dag(dag).task_by_id()["t"].on_failure_fail_dagrun


@pytest.mark.parametrize("make", [lambda cleanup: cleanup(1), lambda cleanup: cleanup.expand(x=[1])])
def test_the_trigger_rule_of_a_teardown_is_not_the_authors_to_choose(make: Any) -> None:
    with DAG("d", schedule=None):

        @teardown
        @task(trigger_rule="all_done")
        def cleanup(x: int) -> None: ...

        with pytest.raises(ValueError, match="Trigger rule not configurable for teardown tasks"):
            make(cleanup)


def test_a_teardown_may_be_called_more_than_once() -> None:
    with DAG("d", schedule=None) as dag:

        @teardown
        def cleanup(x: int = 0) -> None: ...

        cleanup()
        cleanup.override(task_id="other").expand(x=[1])
    assert {task.trigger_rule for task in dag.tasks} == {"all_done_setup_success"}
