"""Decides whether every recorded decision of a real Airflow about trigger rules, setups, mapping and run states is ours too."""

from collections.abc import Iterable
from typing import Any

import pytest

from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec
from runs.dependencies import Decision, PastFacts
from runs.expansion import initial_map_indexes
from runs.run_graph import InstanceState, Key, RunGraph
from runs.states import State, TaskInstanceState
from runs.trigger_rules import Outcome
from tests.oracle import oracle_json
from tests.specs import dag, mapped

VECTORS = oracle_json("trigger_rules_golden.json")
RULES = VECTORS["rules"]
WORDS = {
    Outcome.RUN: "runs",
    Outcome.EXPAND: "runs",
    Outcome.WAIT: "waits",
    Outcome.SKIP: "skipped",
    Outcome.UPSTREAM_FAILED: "upstream_failed",
    Outcome.REMOVED: "removed",
}
STATES = {
    Outcome.SKIP: TaskInstanceState.SKIPPED,
    Outcome.UPSTREAM_FAILED: TaskInstanceState.UPSTREAM_FAILED,
    Outcome.REMOVED: TaskInstanceState.REMOVED,
}
SETUP = {"is_setup": True}
TEARDOWN = {"is_teardown": True, "trigger_rule": "all_done_setup_success"}


def one(task_id: str, state: State) -> list[InstanceState]:
    return [InstanceState(task_id, -1, state)]


def many(task_id: str, states: Iterable[State]) -> list[InstanceState]:
    return [InstanceState(task_id, index, state) for index, state in enumerate(states)]


def word(graph: RunGraph, key: Key) -> str:
    return WORDS[graph.decision(key).outcome]


def said(graph: RunGraph, key: Key, told: dict[Key, Decision]) -> str:
    """Return the decision, checking that what is handed out is what is decided."""
    decided = word(graph, key)
    assert WORDS[told[key].outcome if key in told else Outcome.WAIT] == decided
    return decided


def mismatches(rows: Iterable[tuple[Any, dict[str, Any], dict[str, Any]]]) -> list[str]:
    return [
        f"{given}: {name} is {ours[name]}, recorded {theirs[name]}"
        for given, ours, theirs in rows
        for name in theirs
        if ours[name] != theirs[name]
    ]


def rule_tasks(rules: Iterable[str], prefix: str = "", **fields: Any) -> dict[str, dict[str, Any]]:
    return {f"{prefix}{rule}": {"trigger_rule": rule, **fields} for rule in rules}


def fan(upstream: Iterable[str], downstream: Iterable[str]) -> str:
    return ", ".join(f"{up} >> {down}" for up in upstream for down in downstream)


def judge_unmapped(spec: DagSpec, given: list[InstanceState], asked: Iterable[str]) -> dict[str, str]:
    graph = RunGraph(spec, [*given, *(InstanceState(name) for name in asked)])
    told = dict(graph.decisions())
    return {name: said(graph, (name, -1), told) for name in asked}


def test_every_rule_decides_on_plain_upstreams_as_recorded() -> None:
    rows = []
    for states, recorded in VECTORS["plain"]:
        ups = [f"u{n}" for n in range(len(states))]
        spec = dag(fan(ups, RULES), **rule_tasks(RULES))
        given = [item for name, state in zip(ups, states, strict=True) for item in one(name, state)]
        rows.append((states, judge_unmapped(spec, given, RULES), recorded))
    assert not mismatches(rows)


def test_every_rule_decides_on_a_mapped_upstream_as_recorded() -> None:
    spec = dag(fan(["m"], RULES), **rule_tasks(RULES), m=mapped(2))
    rows = [(s, judge_unmapped(spec, many("m", s), RULES), recorded) for s, recorded in VECTORS["mapped_upstream"]]
    assert not mismatches(rows)


def test_every_rule_decides_after_a_mapped_task_group_as_recorded() -> None:
    group = TaskGroupSpec("g", is_mapped=True, expand=mapped(3)["expand"])
    spec = dag(fan(["g.a"], RULES), [group], **rule_tasks(RULES), g__a={"mapped_group_id": "g"})
    rows = [(s, judge_unmapped(spec, many("g.a", s), RULES), recorded) for s, recorded in VECTORS["after_mapped_task_group"]]
    assert not mismatches(rows)


def test_a_mapped_task_group_decides_index_by_index_as_recorded() -> None:
    rules = [rule for rule in RULES if rule != "always"]
    group = TaskGroupSpec("g", is_mapped=True, expand=mapped(3)["expand"])
    tasks = {f"g__{rule}": {"trigger_rule": rule, "mapped_group_id": "g"} for rule in rules}
    spec = dag(fan(["g.a"], [f"g.{rule}" for rule in rules]), [group], **tasks, g__a={"mapped_group_id": "g"})
    rows = []
    for states, recorded in VECTORS["mapped_task_group_inner"]:
        inner = [item for rule in rules for item in many(f"g.{rule}", [None] * len(states))]
        graph = RunGraph(spec, [*many("g.a", states), *inner])
        told = dict(graph.decisions())
        ours = {rule: [said(graph, (f"g.{rule}", i), told) for i in range(len(states))] for rule in rules}
        rows.append((states, ours, recorded))
    assert not mismatches(rows)


def test_a_mapped_task_after_a_mapped_task_decides_as_recorded() -> None:
    spec = dag(fan(["m"], RULES), **rule_tasks(RULES, **mapped(2)), m=mapped(2))
    rows = []
    for states, recorded in VECTORS["mapped_after_mapped"]:
        graph = RunGraph(spec, [*many("m", states), *(i for rule in RULES for i in many(rule, [None, None]))])
        told = dict(graph.decisions())
        rows.append((states, {rule: [said(graph, (rule, i), told) for i in (0, 1)] for rule in RULES}, recorded))
    assert not mismatches(rows)


def test_a_mapping_of_length_zero_skips_the_task_and_then_decides_as_recorded() -> None:
    names = {f"t_{rule}": rule for rule in RULES}
    spec = dag(fan(["m"], names), **rule_tasks(RULES, "t_"), m=mapped(0))
    graph = RunGraph(spec, [*one("m", None), *(InstanceState(name) for name in names)])
    assert dict(graph.decisions())["m", -1].outcome is Outcome.EXPAND
    recorded = VECTORS["mapped_zero_length"]
    first = {name: word(graph, (name, -1)) for name in names}
    graph.apply([(("m", -1), TaskInstanceState.SKIPPED)])
    second = {name: word(graph, (name, -1)) for name in names}
    skipped = {"m": "skipped"}
    assert not mismatches(
        [("first", {**first, **skipped}, recorded["first_pass"]), ("second", {**second, **skipped}, recorded["second_pass"])]
    )


SCOPES: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "setup_direct_work": ("s >> w", {"s": SETUP}),
    "teardown_without_setup": ("w >> t", {"t": TEARDOWN}),
    "setup_work_teardown": ("s >> w >> t, s >> t", {"s": SETUP, "t": TEARDOWN}),
    "two_setups_teardown": ("s1 >> w, s2 >> w, w >> t, s1 >> t, s2 >> t", {"s1": SETUP, "s2": SETUP, "t": TEARDOWN}),
    "setup_two_works_teardown": ("s >> w0 >> t, s >> w1 >> t, s >> t", {"s": SETUP, "t": TEARDOWN}),
    "indirect_setup": (
        ", ".join(["s >> a", "s >> t", *(f"a >> b_{rule} >> t" for rule in RULES)]),
        {"s": SETUP, "t": TEARDOWN, **rule_tasks(RULES, "b_")},
    ),
    "after_teardown": ("a >> t, " + fan(["t"], [f"c_{rule}" for rule in RULES]), {"t": TEARDOWN, **rule_tasks(RULES, "c_")}),
}


@pytest.mark.parametrize("name", SCOPES)
def test_setups_and_teardowns_decide_as_recorded(name: str) -> None:
    graph, tasks = SCOPES[name]
    spec = dag(graph, **tasks)
    vectors = VECTORS[name]
    rows = []
    for states, recorded in vectors["rows"]:
        given = [item for task, state in zip(vectors["upstreams"], states, strict=True) for item in one(task, state)]
        asked = [task.task_id for task in spec.tasks if task.task_id not in vectors["upstreams"]]
        rows.append((states, judge_unmapped(spec, given, asked), recorded))
    assert not mismatches(rows)


def one_pass(spec: DagSpec, states: dict[str, State]) -> tuple[str, list[State]]:
    """Do what one pass of the scheduler does to a run: return its state and the states of its tasks."""
    graph = RunGraph(spec, [InstanceState(task, -1, state) for task, state in states.items()])
    judgement = graph.judge()
    changes = [(key, STATES[d.outcome]) for key, d in [*graph.decisions(), *judgement.give_up] if d.outcome in STATES]
    graph.apply(changes)
    return judgement.state.value, [graph.state_of((task, -1)) for task in states]


def wrong_runs(spec: DagSpec, vectors: dict[str, Any]) -> list[str]:
    wrong = []
    for before, state, *after in vectors["rows"]:
        ours = one_pass(spec, dict(zip(vectors["tasks"], before, strict=True)))
        theirs = (state, after[0] if after else before)
        if ours != theirs:
            wrong.append(f"{before}: {ours}, recorded {theirs}")
    return wrong


@pytest.mark.parametrize("number", VECTORS["run_state_leaves"])
def test_a_run_of_independent_tasks_ends_as_recorded(number: str) -> None:
    vectors = VECTORS["run_state_leaves"][number]
    assert not wrong_runs(dag(", ".join(vectors["tasks"])), vectors)


def test_a_chain_ends_as_recorded() -> None:
    assert not wrong_runs(dag("a >> b >> c", c={"trigger_rule": "all_done"}), VECTORS["run_state_chain"])


@pytest.mark.parametrize(("name", "fails"), [("run_state_teardown", False), ("run_state_teardown_fail_dagrun", True)])
def test_a_teardown_decides_the_run_as_recorded(name: str, fails: bool) -> None:
    spec = dag("s >> w >> t, s >> t", s=SETUP, t={**TEARDOWN, "on_failure_fail_dagrun": fails})
    assert not wrong_runs(spec, VECTORS[name])


PAST_TASKS: dict[str, dict[str, Any]] = {
    "dop": {"depends_on_past": True},
    "dop2": {"depends_on_past": True},
    "idop": {"depends_on_past": True, "ignore_first_depends_on_past": True},
    "wfd": {"depends_on_past": True, "wait_for_downstream": True},
}


def past_facts(previous: dict[str, State]) -> dict[str, PastFacts]:
    good = (TaskInstanceState.SUCCESS, TaskInstanceState.SKIPPED)
    bad, bad_child = (int(previous[name] not in good) for name in ("prev", "prev_child"))
    return {name: PastFacts(True, 1, bad, bad_child if name == "wfd" else 0, ran_before=True) for name in PAST_TASKS}


def test_depends_on_past_decides_as_recorded() -> None:
    spec = dag("plain >> dop2, dop, idop, wfd >> wfd_child", **PAST_TASKS)
    names = [task.task_id for task in spec.tasks]
    first = RunGraph(spec, map(InstanceState, names), past={name: PastFacts(False) for name in PAST_TASKS})
    rows = [("first run", {name: word(first, (name, -1)) for name in names}, VECTORS["depends_on_past"]["first_run"])]
    for previous, recorded in VECTORS["depends_on_past"]["rows"]:
        states = [InstanceState(name, -1, TaskInstanceState.SUCCESS if name == "plain" else None) for name in names]
        graph = RunGraph(spec, states, past=past_facts(previous))
        ours = {name: word(graph, (name, -1)) for name in names if name != "plain"}
        rows.append((previous, {**ours, "plain": "success"}, recorded))
    assert not mismatches(rows)


def test_all_unfinished_states_are_unfinished_here_too() -> None:
    from runs.states import FINISHED, UNFINISHED

    assert set(VECTORS["all_unfinished_states"]) <= UNFINISHED
    assert set(VECTORS["terminal_states"]) == FINISHED


def test_a_new_run_has_the_recorded_instances() -> None:
    group = TaskGroupSpec("g", is_mapped=True, expand=mapped(3)["expand"])
    inner = {f"g.t_{rule}": {"trigger_rule": rule} for rule in RULES if rule != "always"}
    after = [f"after_{rule}" for rule in RULES]
    fields = {name.replace(".", "__"): {**more, "mapped_group_id": "g"} for name, more in {"g.a": {}, **inner}.items()}
    spec = dag(fan(["g.a"], [*inner, *after]), [group], **fields)
    indexes = {task.task_id: initial_map_indexes(spec, task) for task in spec.tasks}
    ours = {name if i < 0 else f"{name}[{i}]" for name, found in indexes.items() for i in found}
    assert set(VECTORS["mapped_group_initial"]) <= ours
    lone = dag("m", m=mapped(2))
    assert set(VECTORS["mapped_initial_indexes"]) <= set(initial_map_indexes(lone, lone.tasks[0]))
