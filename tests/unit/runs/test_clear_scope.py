"""What a clear reaches: Airflow's answers for sixty graphs with setups and teardowns, and properties of random graphs."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec
from runs.clear_scope import Chosen, ClearScope
from tests.specs import dag

FACTS = json.loads((Path(__file__).parent / "clear_scope_facts.json").read_text())
NAMES = "abcdefgh"


def graph(edges: list[tuple[str, str]], kinds: str) -> DagSpec:
    tasks = {
        name: TaskSpec(name, is_setup=kind == "s", is_teardown=kind == "t") for name, kind in zip(NAMES, kinds, strict=False)
    }
    for up, down in edges:
        tasks[up].downstream_task_ids.append(down)
        tasks[down].upstream_task_ids.append(up)
    return DagSpec(dag_id="d", tasks=list(tasks.values()))


@pytest.mark.parametrize(("edges", "kinds", "reached"), FACTS, ids=[f"{row[1]} {row[0]}" for row in FACTS])
def test_a_clear_reaches_what_airflow_reaches(edges: str, kinds: str, reached: dict[str, str]) -> None:
    """Keys: a task, ``^`` with upstream, ``v`` with downstream; values: the tasks that Airflow 3.3.2 takes along."""
    scope = ClearScope(graph([(e[0], e[2]) for e in edges.split()], kinds))
    found = {key: "".join(sorted(scope.subset([key[0]], upstream="^" in key, downstream="v" in key))) for key in reached}
    assert found == reached


@st.composite
def graphs(draw: st.DrawFn) -> DagSpec:
    kinds = draw(st.text("wwwst", min_size=2, max_size=8))
    pairs = [(NAMES[i], NAMES[j]) for i in range(len(kinds)) for j in range(i + 1, len(kinds))]
    return graph(draw(st.lists(st.sampled_from(pairs), unique=True)), kinds)


@given(graphs(), st.data())
@settings(max_examples=200, deadline=None)
def test_downstream_never_reaches_work_upstream(spec: DagSpec, data: st.DataObject) -> None:
    scope = ClearScope(spec)
    task = data.draw(st.sampled_from(sorted(scope.tasks)))
    above = scope.relatives([task], "upstream")
    reached = scope.subset([task], downstream=True)
    assert not {t for t in reached & above if not (scope.tasks[t].is_setup or scope.tasks[t].is_teardown)}
    assert {task} | scope.relatives([task], "downstream") <= reached


@given(graphs(), st.data())
@settings(max_examples=200, deadline=None)
def test_what_is_reached_takes_its_setups_and_teardowns_along(spec: DagSpec, data: st.DataObject) -> None:
    scope = ClearScope(spec)
    named = data.draw(st.sets(st.sampled_from(sorted(scope.tasks)), min_size=1))
    reached = scope.reach(Chosen(named), upstream=False, downstream=False, one_run=True).tasks
    assert named <= reached
    assert scope.subset(named) == reached
    added = reached - named
    assert all(scope.tasks[t].is_setup or scope.tasks[t].is_teardown for t in added)


def mapped_group() -> DagSpec:
    inside = {"mapped_group_id": "g"}
    groups = [TaskGroupSpec("g", children=["g.x", "g.y"], is_mapped=True)]
    return dag("a >> g.x >> g.y >> z", groups, g__x=inside, g__y=inside)


def test_an_index_reaches_the_same_index_inside_its_mapped_group_and_whole_tasks_outside() -> None:
    scope = ClearScope(mapped_group())
    down = scope.reach(Chosen(indexes={("g.x", 1)}), upstream=False, downstream=True, one_run=True)
    assert (down.tasks, down.indexes) == ({"z"}, {("g.x", 1), ("g.y", 1)})
    up = scope.reach(Chosen(indexes={("g.y", 2)}), upstream=True, downstream=False, one_run=True)
    assert (up.tasks, up.indexes) == ({"a"}, {("g.x", 2), ("g.y", 2)})


def test_without_a_run_relatives_of_an_index_are_whole_tasks() -> None:
    found = ClearScope(mapped_group()).reach(Chosen(indexes={("g.x", 1)}), upstream=False, downstream=True, one_run=False)
    assert (found.tasks, found.indexes) == ({"g.y", "z"}, {("g.x", 1)})


def test_upstream_and_downstream_in_one_run_also_reach_the_siblings() -> None:
    scope = ClearScope(dag("a >> b, a >> c"))
    both = {"upstream": True, "downstream": True}
    assert scope.reach(Chosen({"b"}), one_run=True, **both).tasks == {"a", "b", "c"}
    assert scope.reach(Chosen({"b"}), one_run=False, **both).tasks == {"a", "b"}


def test_a_group_is_its_tasks_and_those_of_the_groups_inside() -> None:
    groups = [TaskGroupSpec("g", children=["g.a", "g.h"]), TaskGroupSpec("g.h", parent_id="g", children=["g.h.b"])]
    scope = ClearScope(dag("g.a >> g.h.b >> c", groups))
    assert scope.group_members("g") == {"g.a", "g.h.b"}
    assert scope.group_members("nope") is None


def test_a_chain_of_thousands_costs_no_recursion() -> None:
    tasks = [TaskSpec(f"t{n}", upstream_task_ids=[f"t{n - 1}"] if n else []) for n in range(5000)]
    for task, following in pairwise(tasks):
        task.downstream_task_ids.append(following.task_id)
    tasks[0].is_setup = True
    scope = ClearScope(DagSpec(dag_id="d", tasks=tasks))
    assert len(scope.subset(["t2500"], downstream=True)) == 2501
