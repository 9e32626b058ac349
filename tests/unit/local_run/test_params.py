"""C28-c: params of a run, wherever a task reads them: templates, the context, and the operator's own ``params``."""

from typing import Any

from orchestrator.local_run.dag_test import run_dag
from orchestrator.sdk import DAG, BaseOperator, Param, task


class Show(BaseOperator):
    """Returns what it sees."""

    template_fields = ("text",)

    def __init__(self, *, text: str = "{{ params.a }} {{ task.params.a }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.text = text

    def execute(self, context: Any) -> dict[str, Any]:
        return {
            "own": self.params.dump(),
            "task": context["ti"].task.params.dump(),
            "context": dict(context["params"]),
            "text": self.text,
            "dag": context["dag"].params.dump(),
        }


def shown(own: dict[str, Any], more: dict[str, Any], text: str = "7 7") -> dict[str, Any]:
    return {"own": own, "task": own, "context": {**own, **more}, "text": text, "dag": {"a": 1, "b": 2}}


def made() -> DAG:
    with DAG("params", schedule=None, params={"a": Param(1, type="integer"), "b": 2}) as dag:
        Show(task_id="plain")
        Show(task_id="own", params={"a": 3, "c": 4})
        Show.partial(task_id="partial", params={"c": 5}).expand(text=["{{ params.c }}"])
        Show.partial(task_id="each", text="{{ params.c }} {{ task.params.c }}").expand(params=[{"c": 5}, {"c": 6, "a": 8}])

        @task(params={"c": 5})
        def decorated(params: Any = None) -> dict[str, Any]:
            return dict(params)

        decorated()
    return dag


def test_an_operators_own_params_have_the_values_of_the_run() -> None:
    conf = {"a": 7, "other": 9}
    results = run_dag(made(), run_conf=conf).results
    more = {"other": 9}
    assert results["plain"] == shown({"a": 7, "b": 2}, more)
    assert results["own"] == shown({"a": 7, "b": 2, "c": 4}, more)
    assert results["partial[0]"] == shown({"a": 7, "b": 2, "c": 5}, more, "5")
    assert [results[f"each[{index}]"] for index in (0, 1)] == [shown({"a": 7, "b": 2, "c": c}, more, f"{c} {c}") for c in (5, 6)]
    assert results["decorated"] == {"a": 7, "b": 2, "c": 5, "other": 9}


def test_the_conf_of_one_run_leaves_the_dag_as_it_was_declared() -> None:
    dag = made()
    run_dag(dag, run_conf={"a": 7, "c": 1})
    assert run_dag(dag).results["own"] == shown({"a": 3, "b": 2, "c": 4}, {}, "3 3")
    assert dag.task_dict["own"].params.dump() == {"a": 3, "b": 2, "c": 4}
