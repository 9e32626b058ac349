"""What a DAG refuses, what it holds, and how it is encoded."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from orchestrator.sdk import DAG, Asset, AssetAlias, Param, TaskGroup, XComArg, dag, setup, task, task_group, teardown
from orchestrator.sdk.exceptions import AirflowTimetableInvalid, ParamValidationError
from orchestrator.sdk.operators.bash import BashOperator
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.serialization.encode import encode_dag


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"schedule": "every now and then"}, (ValueError, AirflowTimetableInvalid), "every now and then"),
        ({"schedule": "99 * * * *"}, (ValueError, AirflowTimetableInvalid), "99"),
        ({"schedule": 5}, ValueError, "5"),
        ({"schedule": "@continuous"}, ValueError, "max_active_runs"),
        ({"tags": ["x" * 101]}, ValueError, "100"),
        ({"owner_links": {"me": "no link"}}, ValueError, "no link"),
        ({"owner_links": {"me": "http://["}}, ValueError, "must be web or mailto addresses"),
        ({"dagrun_timeout": 60}, TypeError, "dagrun_timeout"),
        ({"start_date": "soon"}, ValueError, "soon"),
        ({"schedule": "@daily", "params": {"p": Param(type="string")}}, ValueError, "p"),
        ({"unknown": 1}, TypeError, "unknown"),
        ({"description": 5}, TypeError, "description"),
        ({"dag_display_name": 5}, TypeError, "dag_display_name"),
        ({"catchup": "yes"}, TypeError, "catchup"),
        ({"is_paused_upon_creation": "no"}, TypeError, "is_paused_upon_creation"),
        ({"dagrun_timeout": timedelta(-1)}, ValueError, "dagrun_timeout"),
    ],
)
def test_a_wrong_argument_of_a_dag_is_refused_before_the_server_sees_it(
    arguments: dict[str, Any], error: Any, words: str
) -> None:
    """C04-d."""
    with pytest.raises(error, match=words):
        encode_dag(DAG("d", **arguments))


def test_a_dag_without_schedule_may_have_params_without_default() -> None:
    encode_dag(DAG("d", params={"p": Param(type="string")}))


def test_a_param_is_checked_against_its_schema() -> None:
    params = DAG("d", params={"n": Param(3, type="integer", minimum=1)}).params
    assert params["n"] == 3
    with pytest.raises(ParamValidationError, match="n"):
        params["n"] = 0


def test_params_of_a_task_come_on_top_of_those_of_the_dag() -> None:
    with DAG("d", params={"a": 1, "b": 2}) as made:
        EmptyOperator(task_id="t", params={"b": 3})
    spec = encode_dag(made).tasks[0]
    assert {name: param["value"] for name, param in spec.params.items()} == {"a": 1, "b": 3}
    assert made.params.dump() == {"a": 1, "b": 2}


def weights(**rules: str) -> dict[str, int]:
    with DAG("d") as made:
        a, b, c, d = (EmptyOperator(task_id=name, priority_weight=n, **rules) for n, name in enumerate("abcd", start=1))
        a >> [b, c] >> d
    return {spec.task_id: spec.priority_weight_total for spec in encode_dag(made).tasks}


@pytest.mark.parametrize(
    ("rule", "totals"),
    [
        ("downstream", {"a": 10, "b": 6, "c": 7, "d": 4}),
        ("upstream", {"a": 1, "b": 3, "c": 4, "d": 10}),
        ("absolute", {"a": 1, "b": 2, "c": 3, "d": 4}),
    ],
)
def test_the_weight_of_a_task_counts_each_reachable_task_once(rule: str, totals: dict[str, int]) -> None:
    assert weights(weight_rule=rule) == totals


def test_a_chain_and_a_fan_of_ten_thousand_tasks_have_exact_weights() -> None:
    with DAG("chain") as chain_dag:
        tasks = [EmptyOperator(task_id=f"t{n}") for n in range(10_000)]
        for one, other in pairwise(tasks):
            one >> other
    totals = {spec.task_id: spec.priority_weight_total for spec in encode_dag(chain_dag).tasks}
    assert (totals["t0"], totals["t9999"]) == (10_000, 1)
    with DAG("fan") as fan_dag:
        EmptyOperator(task_id="first") >> [EmptyOperator(task_id=f"t{n}") for n in range(10_000)] >> EmptyOperator(task_id="last")
    totals = {spec.task_id: spec.priority_weight_total for spec in encode_dag(fan_dag).tasks}
    assert (totals["first"], totals["t5"], totals["last"]) == (10_002, 2, 1)


def test_durations_and_instants_are_written_as_seconds_and_utc() -> None:
    with DAG("d", start_date=datetime(2024, 1, 1), dagrun_timeout=timedelta(hours=1)) as made:
        EmptyOperator(task_id="t", retries=1, retry_delay=timedelta(minutes=1), retry_exponential_backoff=True)
    document = encode_dag(made)
    assert (document.start_date, document.dagrun_timeout) == ("2024-01-01T00:00:00Z", 3600.0)
    assert (document.tasks[0].retry_delay, document.tasks[0].retry_exponential_backoff) == (60.0, 2.0)


def test_a_decorated_function_makes_a_dag_with_its_arguments_as_params() -> None:
    @dag(schedule=None, tags=["x"])
    def report(day: str = "monday") -> None:
        """What it does."""

        @task
        def show(text: str) -> None: ...

        show(day)

    made = report("friday")
    assert (made.dag_id, made.doc_md, made.params["day"]) == ("report", "What it does.", "friday")


def test_a_dict_annotation_means_multiple_outputs_and_a_key_can_be_picked() -> None:
    with DAG("d") as made:

        @task
        def split() -> dict[str, int]: ...

        @task
        def use(x: int) -> None: ...

        used = use(split()["a"])
    assert made.get_task("split").multiple_outputs is True
    assert used.operator.upstream_task_ids == {"split"}


def test_references_in_nested_arguments_draw_edges() -> None:
    with DAG("d") as made:
        one, two = EmptyOperator(task_id="one"), EmptyOperator(task_id="two")
        BashOperator(task_id="t", bash_command="x", env={"a": XComArg(one), "b": [two.output]})  # type: ignore[dict-item]
    assert made.get_task("t").upstream_task_ids == {"one", "two"}


def test_a_wrong_call_of_a_task_function_is_an_error_at_once() -> None:
    with DAG("d"):

        @task
        def work(x: int) -> None: ...

        with pytest.raises(TypeError, match="x"):
            work()
        with pytest.raises(TypeError, match="wrong"):
            work(1, wrong=2)


def test_setup_and_teardown_stand_around_the_work_in_their_block() -> None:
    with DAG("d") as made:

        @setup
        def create() -> None: ...

        @teardown(on_failure_fail_dagrun=True)
        def delete() -> None: ...

        @task
        def work() -> None: ...

        with create() >> delete():
            work()
            work()
    spec = encode_dag(made).task_by_id()
    assert spec["create"].downstream_task_ids == ["delete", "work", "work__1"]
    assert spec["delete"].upstream_task_ids == ["create", "work", "work__1"]
    assert (spec["create"].is_setup, spec["delete"].is_teardown, spec["delete"].on_failure_fail_dagrun) == (True, True, True)
    assert spec["delete"].trigger_rule == "all_done_setup_success"


def test_a_mapped_task_keeps_its_input_and_its_length() -> None:
    with DAG("d") as made:

        @task
        def numbers() -> list[int]: ...

        @task
        def add(x: int, y: int) -> int: ...

        add.partial(y=1).expand(x=[1, 2, 3])
        add.expand(x=numbers(), y=[1, 2])
        add.expand_kwargs([{"x": 1, "y": 2}])
        add.partial(y=0).expand(x=numbers().map(str).zip(numbers()))
    spec = encode_dag(made).task_by_id()
    first, second, third, fourth = (spec[name].expand for name in ("add", "add__1", "add__2", "add__3"))
    assert first and second and third and fourth
    assert (first.kind, first.arguments, first.length) == ("dict", {"x": {"literal": [1, 2, 3]}}, 3)
    assert second.arguments["x"] == {"xcom": {"type": "plain", "task_id": "numbers", "key": "return_value"}}
    assert (second.length, list(second.arguments)) == (None, ["x", "y"])
    assert (third.kind, third.length) == ("list", 1)
    assert fourth.arguments["x"]["xcom"]["type"] == "zip"


def test_members_of_a_mapped_group_wait_for_its_input() -> None:
    with DAG("d") as made:

        @task
        def numbers() -> list[int]: ...

        @task
        def use(x: int) -> int: ...

        @task_group
        def each(x: int) -> None:
            use(x)

        each.expand(x=numbers())
    document = encode_dag(made)
    assert document.task_by_id()["each.use"].upstream_task_ids == ["numbers"]
    assert document.task_by_id()["each.use"].mapped_group_id == "each"
    assert [group.is_mapped for group in document.task_groups] == [False, True]


@pytest.mark.parametrize("value", [3, "text", None])
def test_only_lists_and_dicts_can_be_mapped_over(value: Any) -> None:
    with DAG("d"):

        @task
        def work(x: int) -> None: ...

        with pytest.raises(ValueError, match="keyword argument x"):
            work.expand(x=value)


def test_an_empty_operator_needs_no_process_unless_something_hangs_on_it() -> None:
    with DAG("d") as made:
        EmptyOperator(task_id="plain")
        EmptyOperator(task_id="writes", outlets=[Asset("x")])
        EmptyOperator(task_id="calls", on_success_callback=print)
    assert {spec.task_id: spec.is_empty for spec in encode_dag(made).tasks} == {"plain": True, "writes": False, "calls": False}


def test_a_schedule_of_assets_is_a_condition() -> None:
    made = DAG("d", schedule=(Asset("a") | Asset("b")) & AssetAlias("c"))
    condition = encode_dag(made).asset_condition
    assert condition["type"] == "asset_all"
    assert [item["type"] for item in condition["objects"]] == ["asset_any", "asset_alias"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("S3://B/k/", "s3://B/k"),
        ("file:///a/b?x=1#z", "file:///a/b?x=1"),
        ("a b", "a b"),
        ("s3://b/k?z=1&a=2", "s3://b/k?a=2&z=1"),
    ],
)
def test_the_uri_of_an_asset_is_normalised(given: str, wanted: str) -> None:
    assert Asset(uri=given).uri == wanted


def test_groups_with_the_same_name_get_a_number_only_when_asked() -> None:
    with DAG("d"):
        TaskGroup("g")
        assert TaskGroup("g", add_suffix_on_collision=True).group_id == "g__1"


def test_a_param_of_a_task_takes_the_place_of_the_dags_with_its_schema() -> None:
    with DAG("d", schedule=None, params={"a": Param(1, "text", type="integer"), "b": 2}) as made:
        EmptyOperator(task_id="t", params={"a": "word", "c": 3})
    spec = encode_dag(made).tasks[0]
    told = {name: (param["value"], param["schema"], param["description"], param["source"]) for name, param in spec.params.items()}
    assert told == {"a": ("word", {}, None, "task"), "b": (2, {}, None, "dag"), "c": (3, {}, None, "task")}


def test_a_param_of_a_mapped_task_says_that_it_is_the_tasks() -> None:
    with DAG("d", schedule=None, params={"a": 1, "b": 2}) as made:
        BashOperator.partial(task_id="t", params={"a": 4, "c": 3}).expand(bash_command=["true"])
    spec = encode_dag(made).tasks[0]
    assert {name: param["source"] for name, param in spec.params.items()} == {"a": "task", "b": "dag", "c": "task"}


def test_params_in_default_args_win_over_those_of_the_dag() -> None:
    made = DAG("d", schedule=None, params={"a": 1, "b": 2}, default_args={"params": {"a": 9, "z": 3}})
    assert made.params.dump() == {"a": 9, "b": 2, "z": 3}


def test_a_task_may_be_made_first_and_join_a_dag_later() -> None:
    made = DAG("d", start_date=datetime(2026, 1, 1))
    first, second = EmptyOperator(task_id="first"), EmptyOperator(task_id="second")
    mapped = BashOperator.partial(task_id="mapped").expand(bash_command=["x"])
    made.add_task(first)
    made.add_tasks([second, mapped])
    first >> second >> mapped
    assert [item.dag for item in (first, second, mapped)] == [made] * 3
    assert [spec.upstream_task_ids for spec in encode_dag(made).tasks] == [[], ["first"], ["second"]]


def test_a_task_is_in_one_dag_only() -> None:
    task_of_one = EmptyOperator(task_id="a", dag=DAG("one"))
    with pytest.raises(ValueError, match="already in DAG 'one'"):
        DAG("other").add_task(task_of_one)


def test_a_dag_has_a_decorator_for_its_own_tasks() -> None:
    made = DAG("d")

    @made.task
    def plain() -> int:
        return 1

    @made.task(task_id="named", retries=2)
    def other(value: int) -> int:
        return value

    other(plain())
    assert made.task_ids == ["plain", "named"]
    assert (made.get_task("named").retries, made.get_task("named").upstream_task_ids) == (2, {"plain"})


@pytest.mark.parametrize(
    ("owners", "shown"),
    [(["airflow", "me"], ["me"]), (["you", "me"], ["me", "you"]), (["airflow"], ["airflow"]), ([], ["airflow"])],
)
def test_the_default_owner_counts_where_nobody_else_owns_a_task(owners: list[str], shown: list[str]) -> None:
    with DAG("d") as made:
        for number, owner in enumerate(owners):
            EmptyOperator(task_id=f"t{number}", owner=owner)
    assert encode_dag(made).owners == shown
