"""The run graph kept up to date by changes is the run graph built anew from the same states, at a linear price."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec
from runs.run_graph import InstanceState, Key, RunGraph
from runs.run_nodes import Instance
from runs.states import FINISHED, State
from runs.states import TaskInstanceState as S
from runs.trigger_rules import Outcome
from tests.oracle import oracle_json
from tests.specs import dag, in_order, mapped

RULES = oracle_json("trigger_rules_golden.json")["rules"]
STATES = st.sampled_from([None, *S])
WORK_PER_INSTANCE = 20


@st.composite
def dags(draw: st.DrawFn) -> DagSpec:
    """Draw a DAG of up to seven tasks with setups, teardowns, mapped tasks and a mapped group."""
    names = [f"t{n}" for n in range(draw(st.integers(1, 7)))]
    specs: dict[str, TaskSpec] = {}
    for position, name in enumerate(names):
        kind = draw(st.sampled_from(["plain", "plain", "setup", "teardown", "mapped", "grouped"]))
        spec = TaskSpec(name, trigger_rule=draw(st.sampled_from(RULES)), is_setup=kind == "setup", is_teardown=kind == "teardown")
        if kind == "mapped":
            over = draw(st.sampled_from([None, *names[:position]]))
            spec.is_mapped, spec.expand = True, mapped(2, over)["expand"]
        spec.mapped_group_id = "g" if kind == "grouped" else None
        for up in draw(st.sets(st.sampled_from(names[:position]))) if position else []:
            specs[up].downstream_task_ids.append(name)
            spec.upstream_task_ids.append(up)
        specs[name] = spec
    return DagSpec("d", tasks=in_order(specs), task_groups=[TaskGroupSpec("g", is_mapped=True, expand=mapped(2)["expand"])])


def indexes(spec: TaskSpec, expanded: bool) -> list[int]:
    return [0, 1] if expanded and (spec.is_mapped or spec.mapped_group_id) else [-1]


def verdicts(graph: RunGraph) -> dict[Key, tuple[str, bool]]:
    found: list[Instance] = [graph.instance(key) for key in graph]
    return {i.key: (i.verdict.outcome.value, i.blocked) for i in found if i.state not in FINISHED}


@given(spec=dags(), data=st.data())
def test_changes_lead_to_the_same_graph_as_a_fresh_read(spec: DagSpec, data: st.DataObject) -> None:
    states: dict[Key, State] = {}
    for task in spec.tasks:
        for index in indexes(task, data.draw(st.booleans())):
            states[task.task_id, index] = data.draw(STATES)
    graph = RunGraph(spec, [InstanceState(*key, state) for key, state in states.items()])
    for _ in range(data.draw(st.integers(0, 12))):
        key = data.draw(st.sampled_from(sorted(states)))
        if key[1] == -1 and len(indexes(spec.task_by_id()[key[0]], True)) == 2 and data.draw(st.booleans()):
            del states[key]
            states.update({(key[0], index): None for index in (0, 1)})
            graph.replace(key, [InstanceState(key[0], index) for index in (0, 1)])
        else:
            states[key] = data.draw(STATES)
            graph.apply([(key, states[key])])
        if data.draw(st.booleans()):
            graph.decisions()
    fresh = RunGraph(spec, [InstanceState(*key, state) for key, state in states.items()])
    assert verdicts(graph) == verdicts(fresh)
    assert graph.judge() == fresh.judge()
    graph.ask_again(states)
    assert sorted(graph.decisions()) == sorted(fresh.decisions())


@given(spec=dags(), data=st.data())
def test_a_run_always_comes_to_an_end(spec: DagSpec, data: st.DataObject) -> None:
    graph = RunGraph(spec, [InstanceState(task.task_id, index) for task in spec.tasks for index in indexes(task, True)])
    ends = {Outcome.SKIP: S.SKIPPED, Outcome.UPSTREAM_FAILED: S.UPSTREAM_FAILED, Outcome.REMOVED: S.REMOVED}
    for _ in range(50):
        decisions = graph.decisions()
        if not decisions:
            break
        for key, decision in decisions:
            graph.apply([(key, ends.get(decision.outcome) or data.draw(st.sampled_from([S.SUCCESS, S.FAILED, S.SKIPPED])))])
    assert graph.run_state().value in ("success", "failed")


def finish(spec: DagSpec, instances: list[InstanceState]) -> float:
    """Run everything to success; return the work per instance."""
    graph = RunGraph(spec, instances)
    done = 0
    while decisions := graph.decisions():
        for key, _ in decisions:
            graph.apply([(key, state) for state in (S.SCHEDULED, S.QUEUED, S.RUNNING, S.SUCCESS)])
            graph.judge()
            done += 1
    assert done == len(instances)
    assert {graph.state_of(key) for key in graph} <= FINISHED
    return graph.work / done


def plain(spec: DagSpec) -> list[InstanceState]:
    return [InstanceState(task.task_id) for task in spec.tasks]


def fan(size: int) -> DagSpec:
    return dag(", ".join(f"a >> t{n} >> z" for n in range(size)))


def chain(size: int) -> DagSpec:
    return dag(" >> ".join(f"t{n}" for n in range(size)))


def layers(size: int) -> DagSpec:
    return dag(", ".join(f"t{n} >> empty >> u{n}" for n in range(size // 2)))


def scope(size: int) -> DagSpec:
    middle = " >> ".join(f"t{n}" for n in range(size))
    return dag(
        f"s >> {middle} >> d, s >> d", s={"is_setup": True}, d={"is_teardown": True, "trigger_rule": "all_done_setup_success"}
    )


@pytest.mark.parametrize("shape", [fan, chain, layers, scope])
def test_the_price_of_a_task_does_not_grow_with_the_run(shape: Callable[[int], DagSpec]) -> None:
    small, large = (finish(spec, plain(spec)) for spec in (shape(100), shape(2000)))
    assert large <= small * 1.3
    assert large <= WORK_PER_INSTANCE


def test_the_price_of_a_mapped_index_does_not_grow_with_the_number_of_indexes() -> None:
    spec = dag("m >> n >> z", m=mapped(1), n=mapped(1))
    sizes = (100, 2000)
    small, large = (
        finish(spec, [*(InstanceState(t, i) for t in "mn" for i in range(size)), InstanceState("z")]) for size in sizes
    )
    assert large <= small * 1.3
    assert large <= WORK_PER_INSTANCE
