"""Arguments of operators: where they come from and what they may be."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.sdk import DAG, BaseOperator, TaskGroup
from orchestrator.sdk.exceptions import FailFastDagInvalidTriggerRule
from orchestrator.sdk.operators.bash import BashOperator
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.parsing.validation import problems
from orchestrator.sdk.serialization.encode import encode_dag


def test_an_unknown_argument_is_refused_with_task_and_argument() -> None:
    """C04-d."""
    with DAG("d"), pytest.raises(TypeError, match="'retires'") as error:
        EmptyOperator(task_id="t", retires=3)
    assert "'t'" in str(error.value)


def test_a_missing_argument_is_named() -> None:
    with DAG("d"), pytest.raises(TypeError, match=r"BashOperator \(task_id: 't'\) needs the argument 'bash_command'"):
        BashOperator(task_id="t")  # type: ignore[call-arg]


def test_default_args_reach_every_level_and_the_nearest_one_wins() -> None:
    class Mine(BashOperator):
        def __init__(self, colour: str = "red", **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.colour = colour

    with DAG("d", default_args={"retries": 1, "colour": "blue", "bash_command": "x", "owner": "dag", "unused": 1}):
        plain = Mine(task_id="plain")
        with TaskGroup("g", default_args={"owner": "group", "retries": 2}):
            grouped = Mine(task_id="grouped", retries=3)
            own = Mine(task_id="own", default_args={"owner": "task"})
    assert (plain.retries, plain.colour, plain.bash_command, plain.owner) == (1, "blue", "x", "dag")
    assert (grouped.retries, grouped.owner) == (3, "group")
    assert (own.retries, own.owner) == (2, "task")


def test_a_subclass_may_fix_an_argument_that_default_args_have() -> None:
    class Fixed(BaseOperator):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(retries=7, **kwargs)

    with DAG("d", default_args={"retries": 1}):
        assert Fixed(task_id="t").retries == 7


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"trigger_rule": "sometimes"}, ValueError, "'sometimes'"),
        ({"weight_rule": "heavy"}, ValueError, "'heavy'"),
        ({"retries": "many"}, TypeError, "'many'"),
        ({"execution_timeout": 3}, ValueError, "execution_timeout"),
        ({"pool_slots": 0}, ValueError, "pool_slots"),
        ({"queue": 3}, TypeError, "'queue'"),
        ({"resources": {"tpus": 1}}, TypeError, "tpus"),
        ({"resources": "cpus"}, TypeError, "'cpus'"),
        ({"resources": {"cpus": "a"}}, TypeError, "cpus must be a number"),
        ({"resources": {"ram": -1}}, ValueError, "ram is -1"),
        ({"email": 4}, TypeError, "'email'"),
        ({"retry_exponential_backoff": "2"}, TypeError, "'retry_exponential_backoff'"),
        ({"start_date": "no date"}, ValueError, "'no date'"),
    ],
)
def test_a_wrong_value_is_refused_with_task_and_value(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    """C04-d."""
    with DAG("d"), pytest.raises(error, match=words) as caught:
        EmptyOperator(task_id="wrong", **arguments)
    assert "wrong" in str(caught.value)


@pytest.mark.parametrize("task_id", ["a b", "ü?", "x" * 251, ""])
def test_a_wrong_id_is_refused(task_id: str) -> None:
    """C04-d."""
    with DAG("d"), pytest.raises(ValueError, match="task_id"):
        EmptyOperator(task_id=task_id)


def test_seconds_are_taken_for_a_delay() -> None:
    with DAG("d"):
        task = EmptyOperator(task_id="t", retry_delay=5, max_retry_delay=7.5)
    assert (task.retry_delay, task.max_retry_delay) == (timedelta(seconds=5), timedelta(seconds=7.5))


def test_numbers_below_zero_are_taken_for_retries_as_none_and_for_a_delay_as_at_once() -> None:
    with DAG("d") as dag:
        EmptyOperator(task_id="t", retries=-1, retry_delay=timedelta(seconds=-5))
    assert problems(encode_dag(dag)) == []


def test_dates_of_the_dag_bound_those_of_the_task() -> None:
    with DAG("d", start_date=datetime(2024, 5, 1), end_date=datetime(2024, 6, 1)):
        early = EmptyOperator(task_id="early", start_date=datetime(2024, 1, 1))
        late = EmptyOperator(task_id="late", start_date=datetime(2024, 5, 9), end_date=datetime(2025, 1, 1))
    assert early.start_date.isoformat() == "2024-05-01T00:00:00+00:00"
    assert late.start_date.isoformat() == "2024-05-09T00:00:00+00:00"
    assert late.end_date.isoformat() == "2024-06-01T00:00:00+00:00"


def test_wait_for_downstream_includes_depends_on_past() -> None:
    with DAG("d"):
        assert EmptyOperator(task_id="t", wait_for_downstream=True).depends_on_past is True


def test_a_fail_fast_dag_takes_only_rules_that_fit() -> None:
    with DAG("d", fail_fast=True), pytest.raises(FailFastDagInvalidTriggerRule, match="one_failed"):
        EmptyOperator(task_id="t", trigger_rule="one_failed")


def test_a_template_field_that_is_never_set_is_named_when_it_is_rendered_and_not_in_the_file() -> None:
    """As in Airflow: a provider may list more fields than this version of its operator sets."""

    class Mine(EmptyOperator):
        template_fields = ("gone",)

    with DAG("d", schedule=None) as dag:
        task = Mine(task_id="t")
    assert encode_dag(dag).tasks[0].attributes["gone"] is None
    with pytest.raises(AttributeError, match="'gone' is configured as a template field"):
        task.render_template_fields({})
