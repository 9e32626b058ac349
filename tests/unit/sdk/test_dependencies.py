"""Arrows between tasks, lists, groups and labels."""

import pytest

from orchestrator.sdk import DAG, Label, TaskGroup, chain, chain_linear, cross_downstream, task
from orchestrator.sdk.exceptions import AirflowDagCycleException, AirflowException, DuplicateTaskIdFound, TaskAlreadyInTaskGroup
from orchestrator.sdk.operators.empty import EmptyOperator


def make(*names: str) -> list[EmptyOperator]:
    return [EmptyOperator(task_id=name) for name in names]


def edges(dag: DAG) -> set[tuple[str, str]]:
    return {(task.task_id, down) for task in dag.tasks for down in task.downstream_task_ids}


def test_an_arrow_works_with_lists_on_both_sides() -> None:
    with DAG("d") as dag:
        a, b, c, d = make("a", "b", "c", "d")
        a >> [b, c] >> d
    assert edges(dag) == {("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")}


def test_a_backward_arrow_is_the_same_edge() -> None:
    with DAG("d") as dag:
        a, b, c = make("a", "b", "c")
        [a, b] << c
    assert edges(dag) == {("c", "a"), ("c", "b")}


def test_an_arrow_to_a_group_ends_at_its_first_tasks() -> None:
    with DAG("d") as dag:
        before, after = make("before", "after")
        with TaskGroup("g") as group:
            x, y, _ = make("x", "y", "z")
            x >> y
        before >> group >> after
    assert edges(dag) == {("before", "g.x"), ("before", "g.z"), ("g.x", "g.y"), ("g.y", "after"), ("g.z", "after")}
    assert group.upstream_task_ids == {"before"}
    assert group.downstream_task_ids == {"after"}


def test_a_group_is_drawn_to_a_group() -> None:
    with DAG("d") as dag:
        with TaskGroup("one") as one:
            make("a")
        with TaskGroup("two") as two:
            make("b")
        one >> two
    assert edges(dag) == {("one.a", "two.b")}
    assert (one.downstream_group_ids, two.upstream_group_ids) == ({"two"}, {"one"})


def test_a_label_stands_on_its_edges() -> None:
    with DAG("d") as dag:
        a, b, c = make("a", "b", "c")
        a >> Label("yes") >> [b, c]
    assert edges(dag) == {("a", "b"), ("a", "c")}
    assert dag.edge_info == {"a": {"b": {"label": "yes"}, "c": {"label": "yes"}}}


def test_a_label_after_a_group_stands_on_the_point_after_the_group() -> None:
    with DAG("d") as dag:
        with TaskGroup("g") as group:
            make("x")
        (a,) = make("a")
        group >> Label("done") >> a
    assert dag.edge_info == {"g.downstream_join_id": {"a": {"label": "done"}}}
    assert edges(dag) == {("g.x", "a")}


def test_chain_joins_neighbouring_lists_pair_by_pair() -> None:
    with DAG("d") as dag:
        a, b, c, d, e, f = make(*"abcdef")
        chain(a, [b, c], [d, e], f)
    assert edges(dag) == {("a", "b"), ("a", "c"), ("b", "d"), ("c", "e"), ("d", "f"), ("e", "f")}


def test_chain_refuses_lists_of_different_lengths() -> None:
    with DAG("d"):
        a, b, c = make(*"abc")
        with pytest.raises(AirflowException, match="lengths 1 and 2"):
            chain([a], [b, c])


def test_chain_linear_joins_each_with_each() -> None:
    with DAG("d") as dag:
        a, b, c, d = make(*"abcd")
        chain_linear([a, b], [c, d])
    assert edges(dag) == {("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")}


def test_cross_downstream_joins_each_with_each() -> None:
    with DAG("d") as dag:
        a, b, c = make(*"abc")
        cross_downstream([a, b], [c])
    assert edges(dag) == {("a", "c"), ("b", "c")}


def test_the_error_of_a_cycle_spells_it_out() -> None:
    """C04-d."""
    with DAG("looping") as dag:
        a, b, c, d = make(*"abcd")
        d >> a >> b >> c >> a
    with pytest.raises(AirflowDagCycleException, match="'looping': a -> b -> c -> a"):
        dag.validate()


def test_two_tasks_with_one_id_are_refused() -> None:
    """C04-d."""
    with DAG("d"):
        make("a")
        with pytest.raises(DuplicateTaskIdFound, match="'a'"):
            make("a")


def test_a_task_function_called_twice_gets_a_number() -> None:
    with DAG("d") as dag:

        @task
        def work() -> None: ...

        work()
        work()
        work()
    assert dag.task_ids == ["work", "work__1", "work__2"]


def test_an_edge_between_two_dags_is_refused() -> None:
    with DAG("one"):
        (a,) = make("a")
    with DAG("two"):
        (b,) = make("b")
    with pytest.raises(AirflowException, match="one, two"):
        a >> b


def test_a_task_cannot_be_in_two_groups() -> None:
    with DAG("d"):
        with TaskGroup("g"):
            (a,) = make("a")
        with pytest.raises(TaskAlreadyInTaskGroup, match=r"'g.a'"):
            TaskGroup("h").add(a)


def test_topological_order_keeps_the_order_of_definition_for_ties() -> None:
    with DAG("d") as dag:
        c, b, a = make("c", "b", "a")
        a >> c
    assert [t.task_id for t in dag.topological_sort()] == ["b", "a", "c"]
    assert b.upstream_list == []
