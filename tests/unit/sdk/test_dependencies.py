"""Arrows between tasks, lists, groups and labels."""

import pytest

from orchestrator.sdk import DAG, Label, TaskGroup, chain, chain_linear, cross_downstream, task
from orchestrator.sdk.exceptions import (
    AirflowDagCycleException,
    AirflowException,
    DuplicateTaskIdFound,
    NodeNotFound,
    TaskAlreadyInTaskGroup,
)
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
        with pytest.raises(ValueError, match="lengths 1 and 2"):
            chain([a], [b, c])


def test_an_arrow_goes_through_an_empty_group() -> None:
    with DAG("d") as dag:
        a, b, c = make(*"abc")
        with TaskGroup("outer") as outer, TaskGroup("inner") as inner:
            pass
        a >> outer >> b
        inner >> c
    assert edges(dag) == {("a", "b"), ("a", "c")}


def test_the_last_tasks_of_a_group_are_the_last_work_before_its_teardown() -> None:
    with DAG("d") as dag:
        with TaskGroup("g") as group:
            s, x, y, t = make(*"sxyt")
            s.as_setup() >> x >> y
            [x, y] >> t.as_teardown(setups=s)
        (after,) = make("after")
        group >> after
    assert edges(dag) & {("g.x", "after"), ("g.y", "after"), ("g.t", "after")} == {("g.y", "after")}


def test_members_of_a_group_are_found_by_label() -> None:
    with DAG("d") as dag:
        (a,) = make("a")
        with TaskGroup("g"):
            (x,) = make("x")
    assert dag.task_group["g"]["x"] is x
    assert [node.node_id for node in dag.task_group.hierarchical_alphabetical_sort()] == ["g", "a"]
    assert list(dag.task_group.iter_tasks()) == [a, x]
    with pytest.raises(NodeNotFound, match="'nope'; it has 'a', 'g'"):
        dag.task_group["nope"]


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


def _group(name: str, kind: str) -> TaskGroup:
    with TaskGroup(name) as group:
        if kind == "setup and teardown":
            (setup,) = make("setup")
            (teardown,) = make("teardown")
            setup.as_setup() >> teardown.as_teardown(setups=setup)
        elif kind == "teardown":
            make("teardown")[0].as_teardown()
    return group


@pytest.mark.parametrize("order", ["forwards", "backwards", "group first"])
@pytest.mark.parametrize("kind", ["empty", "setup and teardown", "teardown"])
def test_what_follows_a_group_without_work_waits_for_what_comes_before_it(kind: str, order: str) -> None:
    with DAG("d") as dag:
        before, after = make("before", "after")
        group = _group("g", kind)
        with TaskGroup("work") as work:
            make("a", "b")
        if order == "forwards":
            before >> group >> Label("on") >> after
            group >> work
        elif order == "backwards":
            after << Label("on") << group << before
            work << group
        else:
            group >> Label("on") >> after
            group >> work
            before >> group
    assert edges(dag) >= {("before", "after"), ("before", "work.a"), ("before", "work.b")}
    assert not {down for up, down in edges(dag) if up.startswith("g.")} & {"after", "work.a", "work.b"}
    if order == "forwards":
        assert dag.edge_info["before"]["after"] == {"label": "on"}


def test_groups_without_work_in_a_row_pass_on_what_comes_before_them() -> None:
    with DAG("d") as dag:
        before, after = make("before", "after")
        with TaskGroup("work") as work:
            make("a", "b")
        first, second = _group("first", "setup and teardown"), _group("second", "empty")
        before >> first >> second >> after
        work >> second
    waits = {up for up, down in edges(dag) if down == "after"}
    assert waits == {"before", "work.a", "work.b"}
