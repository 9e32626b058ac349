"""What `expand` takes and refuses, as in Airflow 3.3.2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.local_run.dag_test import run_dag
from orchestrator.sdk import DAG, task, task_group
from orchestrator.sdk.operators.bash import BashOperator
from orchestrator.sdk.operators.python import BranchPythonOperator
from orchestrator.sdk.serialization.encode import encode_dag


@task
def t(x: int = 1, y: int = 2) -> list[int]:
    return [x]


def in_group(body: Callable[[Any], Any]) -> Callable[[], Any]:
    return lambda: task_group(group_id="a")(lambda x: body(x)).expand(x=[1])


def bash(**arguments: Any) -> Callable[[], Any]:
    return lambda: BashOperator.partial(task_id="b", bash_command="true").expand(**arguments)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (in_group(lambda x: t.expand(x=[1])), NotImplementedError, "inside of the mapped task group 'a'"),
        (in_group(lambda x: BashOperator.partial(task_id="b").expand(bash_command=["a"])), NotImplementedError, "'a.b'"),
        (in_group(lambda x: task_group(group_id="i")(lambda y: t(y)).expand(y=x)), ValueError, "argument of the mapped group"),
        (lambda: t.expand(x=[t()["k"], 1]), ValueError, "custom key 'k'"),
        (lambda: t.expand(x=[[{"a": t()["k"]}]]), ValueError, "custom key 'k'"),
        (lambda: t.expand_kwargs(t()["k"]), ValueError, "custom key 'k'"),
        (lambda: BashOperator.partial(task_id="b").expand_kwargs([{"bash_command": t()["k"]}]), ValueError, "custom key 'k'"),
        (bash(retries=[1, 2]), TypeError, "retries"),
        (bash(task_id=["a"]), TypeError, "task_id"),
        (bash(bash_command=["a"]), TypeError, "bash_command"),
        (bash(nonsense=["a"]), TypeError, "nonsense"),
        (lambda: t.expand(x="abc"), ValueError, "unexpected type str"),
        (lambda: t.expand(x={1}), ValueError, "unexpected type set"),
        (lambda: t.expand(), TypeError, "no arguments"),
        (lambda: t.override(trigger_rule="always").expand(x=t()), ValueError, "'always'"),
        (lambda: t.expand(x=t()["foo"]), ValueError, "custom key 'foo'"),
        (lambda: t.expand(x=t().map(t)), ValueError, "plain function"),
        (lambda: t.expand_kwargs(3), TypeError, "expected XComArg or list"),
        (lambda: t.expand_kwargs([1]), TypeError, "expected XComArg or list"),
    ],
)
def test_a_wrong_expand_is_refused_when_the_file_is_read(make: Callable[[], Any], kind: type[Exception], words: str) -> None:
    with DAG("d", schedule=None), pytest.raises(kind, match=words):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: t.partial(x=1).expand(x=[1]),
        lambda: t.override(trigger_rule="always").expand(x=[1]),
        lambda: t.expand(x=range(3)),
        lambda: t.expand(x={"a": 1}),
        lambda: BashOperator.partial(task_id="b").expand_kwargs([{"bash_command": "a"}, {"nonsense": "a"}]),
        bash(params=[{"a": 1}]),
        in_group(lambda x: task_group(group_id="i")(lambda y: t(y)).expand(y=[1, 2])),
        lambda: task_group(group_id="plain")(lambda: t.expand(x=[1]))(),
    ],
)
def test_what_airflow_takes_is_taken(make: Callable[[], Any]) -> None:
    with DAG("d", schedule=None):
        make()


def test_expand_may_give_what_only_default_args_gave() -> None:
    with DAG("d", schedule=None, default_args={"bash_command": "usual", "retries": 3}) as dag:
        BashOperator.partial(task_id="one").expand(bash_command=["a", "b"])
        BashOperator.partial(task_id="other").expand_kwargs([{"bash_command": "c"}])
        with pytest.raises(TypeError, match="already specified"):
            BashOperator.partial(task_id="given", bash_command="mine").expand(bash_command=["a"])
    assert dag.task_dict["one"].unmap({"bash_command": "a"}).bash_command == "a"
    assert dag.task_dict["other"].unmap({"bash_command": "c"}).bash_command == "c"


def test_an_output_in_a_list_that_is_expanded_comes_before_the_mapped_task() -> None:
    with DAG("d", schedule=None) as dag:

        @task
        def source() -> int:
            return 5

        @task
        def show(x: int) -> int:
            return x

        show.expand(x=[1, source()])
    assert dag.task_dict["show"].upstream_task_ids == {"source"}
    assert run_dag(dag).results == {"source": 5, "show[0]": 1, "show[1]": 5}


def test_what_an_index_chose_counts_below_a_mapped_operator_and_not_below_a_mapped_function() -> None:
    """As in Airflow 3.3.2, whose decorated functions lose on the way to the server that they choose."""

    def choose(x: Any = None) -> Any:
        return x

    with DAG("d", schedule=None) as dag:
        task.branch(task_id="one")(choose)()
        task.branch(task_id="many")(choose).expand(x=["a"])
        task.short_circuit(task_id="many_ends")(choose).expand(x=[True])
        BranchPythonOperator.partial(task_id="operator", python_callable=choose).expand(op_args=[["a"]])
    branches = {spec.task_id: spec.branches for spec in encode_dag(dag).tasks}
    assert branches == {"one": True, "many": False, "many_ends": False, "operator": True}
