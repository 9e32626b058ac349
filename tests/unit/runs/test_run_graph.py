"""One run in memory: what is handed out, when, and what a change does to it."""

import pytest

from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec
from runs.dependencies import Outcome, PastFacts, WaitReason
from runs.explain.decisions import explain
from runs.run_graph import InstanceState, Key, RunGraph
from runs.states import DagRunState, State
from runs.states import TaskInstanceState as S
from tests.specs import dag, mapped


def graph_of(spec: DagSpec, **states: State) -> RunGraph:
    return RunGraph(spec, [InstanceState(task.task_id, -1, states.get(task.task_id)) for task in spec.tasks])


def outcomes(graph: RunGraph) -> dict[str, str]:
    return {f"{task}[{index}]" if index >= 0 else task: d.outcome.value for (task, index), d in graph.decisions()}


def at(task_id: str, index: int = -1) -> Key:
    return (task_id, index)


def test_a_run_goes_through_its_tasks_and_ends() -> None:
    graph = graph_of(dag("a >> b >> c, a >> c"))
    for name in "abc":
        assert outcomes(graph) == {name: "run"}
        graph.apply([(at(name), S.SCHEDULED), (at(name), S.RUNNING)])
        assert outcomes(graph) == {}
        assert graph.run_state() is DagRunState.RUNNING
        graph.apply([(at(name), S.SUCCESS)])
    assert graph.run_state() is DagRunState.SUCCESS
    assert graph.unfinished == 0


def test_a_decision_is_handed_out_once_and_again_when_it_could_not_be_carried_out() -> None:
    graph = graph_of(dag("a"))
    assert outcomes(graph) == {"a": "run"}
    assert outcomes(graph) == {}
    graph.ask_again([at("a")])
    assert outcomes(graph) == {"a": "run"}


def test_a_failure_spreads_and_the_run_fails() -> None:
    graph = graph_of(dag("a >> b >> c, a >> d", d={"trigger_rule": "all_done"}), a=S.FAILED)
    assert outcomes(graph) == {"b": "upstream_failed", "d": "run"}
    graph.apply([(at("b"), S.UPSTREAM_FAILED), (at("d"), S.SUCCESS)])
    assert outcomes(graph) == {"c": "upstream_failed"}
    graph.apply([(at("c"), S.UPSTREAM_FAILED)])
    assert graph.run_state() is DagRunState.FAILED


def test_clearing_a_task_makes_what_is_below_wait_again() -> None:
    graph = graph_of(dag("a >> b"), a=S.SUCCESS, b=S.SUCCESS)
    graph.apply([(at("b"), None), (at("a"), None)])
    assert outcomes(graph) == {"a": "run"}
    assert graph.decision(at("b")).outcome is Outcome.WAIT


def test_a_change_that_was_not_handed_out_yet_is_taken_back() -> None:
    graph = graph_of(dag("a >> b"), a=S.FAILED)
    graph.decision(at("b"))
    graph.apply([(at("a"), None)])
    assert outcomes(graph) == {"a": "run"}


def test_a_waiting_retry_is_not_handed_out_to_run_but_to_fail_with_its_upstream() -> None:
    graph = graph_of(dag("a >> b"), a=S.SUCCESS, b=S.UP_FOR_RETRY)
    assert outcomes(graph) == {}
    assert graph.decision(at("b")).outcome is Outcome.RUN
    graph.apply([(at("a"), S.FAILED)])
    assert outcomes(graph) == {"b": "upstream_failed"}


def test_a_run_in_which_nothing_can_go_on_fails() -> None:
    graph = graph_of(dag("a >> b", b={"trigger_rule": "all_skipped"}), a=S.REMOVED)
    assert outcomes(graph) == {}
    assert graph.judge().state is DagRunState.FAILED
    assert explain(graph, at("b")).detail.startswith("1 of 1 upstream task instances are removed")


def test_a_run_that_waits_for_its_past_or_for_a_person_is_no_deadlock() -> None:
    held = RunGraph(
        dag("a", a={"depends_on_past": True}), [InstanceState("a")], past={"a": PastFacts(True, instances=1, unsuccessful=1)}
    )
    assert held.run_state() is DagRunState.RUNNING
    assert graph_of(dag("a >> b"), a=S.FAILED, b=S.AWAITING_INPUT).run_state() is DagRunState.RUNNING


def test_the_past_lets_a_task_go_when_the_facts_change() -> None:
    graph = RunGraph(dag("a", a={"depends_on_past": True}), [InstanceState("a")])
    assert explain(graph, at("a")).reason is WaitReason.PAST
    graph.set_past({"a": PastFacts(True, instances=1)})
    assert outcomes(graph) == {"a": "run"}


@pytest.mark.parametrize(("waits_first", "expected"), [(True, {}), (False, {"b": "skip"})])
def test_a_task_may_wait_for_its_past_before_it_is_skipped(waits_first: bool, expected: dict[str, str]) -> None:
    fields = {"depends_on_past": True, "wait_for_past_depends_before_skipping": waits_first}
    states = [InstanceState("a", -1, S.SKIPPED), InstanceState("b")]
    graph = RunGraph(dag("a >> b", b=fields), states, past={"b": PastFacts(True, instances=1, unsuccessful=1)})
    assert outcomes(graph) == expected


def test_a_cleared_task_is_skipped_again_while_its_branch_stands() -> None:
    graph = RunGraph(
        dag("branch >> b", b={"trigger_rule": "always"}),
        [InstanceState("branch", -1, S.SUCCESS), InstanceState("b")],
        branch_skips={at("b"): ["branch"]},
    )
    assert outcomes(graph) == {"b": "skip"}
    graph.apply([(at("branch"), None)])
    assert outcomes(graph) == {"branch": "run", "b": "run"}


def test_a_mapped_task_is_expanded_and_those_below_wait_for_every_index() -> None:
    graph = graph_of(dag("a >> m >> z", m=mapped(over="a")))
    assert outcomes(graph) == {"a": "run"}
    graph.apply([(at("a"), S.SUCCESS)])
    assert outcomes(graph) == {"m": "expand"}
    graph.replace(at("m"), [InstanceState("m", index) for index in range(3)])
    assert outcomes(graph) == {"m[0]": "run", "m[1]": "run", "m[2]": "run"}
    graph.apply([(at("m", 0), S.SUCCESS), (at("m", 1), S.SUCCESS)])
    assert explain(graph, at("z")).detail == "1 of 3 upstream task instances are not done: m[2]"
    graph.apply([(at("m", 2), S.SUCCESS)])
    assert outcomes(graph) == {"z": "run"}


def test_a_task_without_instances_is_waited_for() -> None:
    graph = RunGraph(dag("a >> b"), [InstanceState("b")])
    assert outcomes(graph) == {}
    graph.add_instances([InstanceState("a", -1, S.SUCCESS)])
    assert outcomes(graph) == {"b": "run"}
    graph.remove([at("a")])
    assert graph.decision(at("b")).outcome is Outcome.WAIT


GROUP = TaskGroupSpec("g", is_mapped=True, expand=mapped(over="a")["expand"])
IN_GROUP = {"mapped_group_id": "g"}


@pytest.mark.parametrize("rule", ["all_success", "one_failed"])
def test_a_mapped_group_goes_forward_index_by_index(rule: str) -> None:
    spec = dag("a >> g.x >> g.y >> z", [GROUP], g__x=IN_GROUP, g__y={**IN_GROUP, "trigger_rule": rule})
    graph = graph_of(spec, a=S.SUCCESS)
    assert outcomes(graph) == {"g.x": "expand"}
    graph.replace(at("g.x"), [InstanceState("g.x", index) for index in range(2)])
    assert outcomes(graph) == {"g.x[0]": "run", "g.x[1]": "run", "g.y": "expand"}
    graph.replace(at("g.y"), [InstanceState("g.y", index) for index in range(2)])
    assert outcomes(graph) == {}
    graph.apply([(at("g.x", 1), S.FAILED)])
    assert outcomes(graph) == {"g.y[1]": "upstream_failed" if rule == "all_success" else "run"}


OUTER = TaskGroupSpec("o", is_mapped=True, expand=mapped(2)["expand"])
INNER = TaskGroupSpec("i", parent_id="p", is_mapped=True, expand=mapped(3)["expand"])
NESTED = [OUTER, TaskGroupSpec("p", parent_id="o"), INNER]
OUTSIDE, INSIDE = {"mapped_group_id": "o"}, {"mapped_group_id": "i"}


def nested(rule: str = "all_success") -> RunGraph:
    """``o.x`` and ``o.z`` have 2 indexes; ``i.y`` between them has 3 of each of these."""
    spec = dag("o.x >> i.y >> o.z", NESTED, o__x=OUTSIDE, i__y={**INSIDE, "trigger_rule": rule}, o__z=OUTSIDE)
    return RunGraph(
        spec, [InstanceState(name, i) for name, count in {"o.x": 2, "i.y": 6, "o.z": 2}.items() for i in range(count)]
    )


def test_inside_of_nested_mapped_groups_an_index_looks_at_its_own_outer_index() -> None:
    graph = nested()
    assert outcomes(graph) == {"o.x[0]": "run", "o.x[1]": "run"}
    graph.apply([(at("o.x", 1), S.SUCCESS)])
    assert outcomes(graph) == {f"i.y[{index}]": "run" for index in (3, 4, 5)}
    graph.apply([(at("o.x", 0), S.FAILED)])
    assert outcomes(graph) == {f"i.y[{index}]": "upstream_failed" for index in (0, 1, 2)}


def test_behind_nested_mapped_groups_an_index_waits_for_all_of_its_own_inner_indexes() -> None:
    graph = nested("one_failed")
    graph.apply([(at("o.x", 0), S.FAILED), (at("o.x", 1), S.SUCCESS)])
    assert outcomes(graph) == {f"i.y[{i}]": "run" if i < 3 else "skip" for i in range(6)}
    graph.apply([(at("i.y", index), S.SKIPPED if index == 4 else S.SUCCESS) for index in (1, 2, 3, 4, 5)])
    assert outcomes(graph) == {"o.z[1]": "skip"}
    assert explain(graph, at("o.z", 0)).detail == "1 of 3 upstream task instances are not done: i.y[0]"
    graph.apply([(at("i.y", 0), S.SUCCESS)])
    assert outcomes(graph) == {"o.z[0]": "run"}


def test_a_mapped_group_is_skipped_with_what_it_is_mapped_over() -> None:
    graph = graph_of(dag("a >> g.x >> g.y", [GROUP], g__x=IN_GROUP, g__y={**IN_GROUP, "trigger_rule": "all_done"}), a=S.SKIPPED)
    assert outcomes(graph) == {"g.x": "skip", "g.y": "skip"}


def test_an_instance_beyond_the_end_of_a_shortened_upstream_is_removed() -> None:
    states = [InstanceState("m", 0, S.SUCCESS), InstanceState("m", 1, S.REMOVED), InstanceState("n", 0), InstanceState("n", 1)]
    graph = RunGraph(dag("m >> n", m=mapped(2), n=mapped(2)), states)
    assert outcomes(graph) == {"n[0]": "run", "n[1]": "removed"}


def test_an_instance_of_a_task_that_left_the_dag_is_removed_and_counts_for_nothing() -> None:
    graph = RunGraph(dag("a"), [InstanceState("a", -1, S.SUCCESS), InstanceState("gone"), InstanceState("busy", -1, S.RUNNING)])
    assert outcomes(graph) == {"gone": "removed"}
    graph.apply([(at("gone"), S.REMOVED)])
    assert graph.run_state() is DagRunState.SUCCESS


def test_reconciling_tells_what_was_different_and_takes_it_over() -> None:
    graph = graph_of(dag("a >> b, c"), c=S.SUCCESS)
    fresh = [InstanceState("a", -1, S.SUCCESS), InstanceState("b"), InstanceState("d", -1, S.RUNNING)]
    corrections = {c.key[0]: (c.here, c.there) for c in graph.reconcile(fresh)}
    assert corrections == {"a": (None, "success"), "c": ("success", "absent"), "d": ("absent", "running")}
    assert graph.reconcile(fresh) == []
    assert outcomes(graph)["b"] == "run"


def test_a_key_that_is_not_in_the_run_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="'x'"):
        graph_of(dag("a")).apply([(at("x"), S.SUCCESS)])
    with pytest.raises(ValueError, match="already in the run"):
        graph_of(dag("a")).add_instances([InstanceState("a")])


def test_the_explanation_names_three_and_says_that_there_are_more() -> None:
    graph = graph_of(dag("a >> z, b >> z, c >> z, d >> z, e >> z"), a=S.SUCCESS)
    assert explain(graph, at("z")).detail == "4 of 5 upstream task instances are not done: b, c, d, …"
    graph.apply([(at("b"), S.FAILED)])
    assert explain(graph, at("z")).detail == "trigger rule all_success: 1 of 5 upstream task instances failed: b"


def test_the_last_task_of_a_scope_lets_the_teardown_go() -> None:
    scope = dag(
        "s >> a >> b >> t, s >> t", s={"is_setup": True}, t={"is_teardown": True, "trigger_rule": "all_done_setup_success"}
    )
    graph = graph_of(scope, s=S.SUCCESS, a=S.RUNNING, b=S.SUCCESS)
    assert outcomes(graph) == {}
    assert explain(graph, at("t")).detail == "1 of 1 task instances between setup and teardown are not done: a"
    graph.apply([(at("a"), S.FAILED)])
    assert outcomes(graph) == {"t": "run"}


def test_a_failed_setup_further_up_ends_the_wait_of_a_task() -> None:
    graph = graph_of(dag("s >> a >> b", s={"is_setup": True}, b={"trigger_rule": "all_done"}), s=S.RUNNING, a=S.SUCCESS)
    assert graph.decision(at("b")).reason is WaitReason.SETUP
    graph.apply([(at("s"), S.FAILED)])
    assert outcomes(graph) == {"b": "upstream_failed"}


def test_removing_the_last_unfinished_index_lets_go_what_waited_for_it() -> None:
    states = [InstanceState("m", 0, S.SUCCESS), InstanceState("m", 1, S.RUNNING), InstanceState("z")]
    graph = RunGraph(dag("m >> z", m=mapped(2)), states)
    assert outcomes(graph) == {}
    graph.remove([at("m", 1)])
    assert outcomes(graph) == {"z": "run"}
