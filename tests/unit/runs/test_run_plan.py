"""Which tasks look at which others: setups, scopes, lengths and leaves."""

import pytest

from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.dependencies import Watch
from runs.run_plan import RunPlan
from tests.specs import dag, mapped

SETUP = {"is_setup": True}
TEARDOWN = {"is_teardown": True}


def watched(plan: RunPlan, task_id: str, watch: Watch) -> list[str]:
    return [link.task_id for link in plan.tasks[task_id].watches if link.watch is watch]


def leaves(spec: DagSpec) -> list[str]:
    return [task_id for task_id, task in RunPlan(spec).tasks.items() if task.is_leaf]


def test_an_upstream_task_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match=r"'d'.*'b' names the upstream task 'a'"):
        RunPlan(DagSpec("d", tasks=[TaskSpec("b", upstream_task_ids=["a"])]))


def test_a_task_looks_at_the_setup_in_whose_scope_it_is_and_not_at_one_that_is_closed() -> None:
    plan = RunPlan(dag("s >> a >> t >> c, s >> t, a >> b >> t", s=SETUP, t=TEARDOWN))
    assert watched(plan, "b", Watch.SETUP) == ["s"]
    assert watched(plan, "a", Watch.SETUP) == []  # direct upstream, so the rule sees it
    assert watched(plan, "c", Watch.SETUP) == []  # after the teardown


def test_a_setup_without_teardown_is_in_force_for_everything_below() -> None:
    assert watched(RunPlan(dag("s >> a >> b", s=SETUP)), "b", Watch.SETUP) == ["s"]


def test_a_teardown_looks_at_what_lies_between_its_setups_and_itself() -> None:
    plan = RunPlan(dag("s >> a >> b >> t, s >> t, x >> b", s=SETUP, t=TEARDOWN))
    assert watched(plan, "t", Watch.SCOPE) == ["a"]


def test_a_mapped_task_looks_at_every_task_in_its_arguments_however_nested() -> None:
    fields = mapped(over="a")
    fields["expand"].arguments["y"] = {"xcom": {"type": "zip", "args": [{"task_id": "b", "key": "k"}, {"task_id": "a"}]}}
    assert watched(RunPlan(dag("a >> m, b >> m", m=fields)), "m", Watch.MAPPED) == ["a", "b"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, ["w"]), ({"on_failure_fail_dagrun": True}, ["t"])],
)
def test_a_teardown_decides_the_run_only_where_it_was_asked_to(fields: dict[str, bool], expected: list[str]) -> None:
    assert leaves(dag("s >> w >> t, s >> t", s=SETUP, t={**TEARDOWN, **fields})) == expected


def test_a_dag_of_teardowns_is_decided_by_its_last_ones() -> None:
    assert leaves(dag("t1 >> t2", t1=TEARDOWN, t2=TEARDOWN)) == ["t2"]
