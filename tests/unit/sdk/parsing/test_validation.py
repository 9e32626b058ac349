"""Decides whether a DAG that the scheduler could not run is refused with a sentence that says what and where (C04-d)."""

from __future__ import annotations

import pytest

from orchestrator.sdk.definitions.timetables import CronTriggerTimetable, NullTimetable, encode_timetable
from orchestrator.sdk.parsing.cycles import find_cycle
from orchestrator.sdk.parsing.params import param_problems
from orchestrator.sdk.parsing.validation import problems
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec

NEVER = encode_timetable(NullTimetable())


def dag(**fields):
    return DagSpec(**{"dag_id": "d", "timetable": NEVER, **fields})


def task(**fields):
    return dag(tasks=[TaskSpec(**{"task_id": "t", **fields})])


def test_a_plain_dag_has_no_problem_c04_d():
    assert problems(dag(tasks=[TaskSpec("a", downstream_task_ids=["b"]), TaskSpec("b", upstream_task_ids=["a"])])) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (dag(dag_id="a b"), "'a b'"),
        (dag(dag_id="x" * 251), "251 characters; 250 are allowed"),
        (dag(tags=["x" * 101]), "at most 100 characters"),
        (dag(max_active_runs=-1), "max_active_runs"),
        (dag(max_active_runs=2**31), "max_active_runs"),
        (dag(timezone="Mars/Base"), "'Mars/Base'"),
        (dag(params={"p": object()}), "as JSON"),
        (dag(timetable={"type": "Moon"}), "'Moon'"),
        (dag(timetable=encode_timetable(CronTriggerTimetable("bad", timezone="UTC"))), "'bad' is not valid"),
        (task(task_id="a/b"), "'a/b'"),
        (task(trigger_rule="some"), "unknown trigger_rule 'some'; use one of all_done"),
        (task(weight_rule="some"), "unknown weight_rule 'some'"),
        (task(pool=""), "the pool ''"),
        (task(pool_slots=0), "pool_slots must be a number from 1 to 2147483647, not 0"),
        (task(retries=2**31), "retries must be a number from -2147483647 to 2147483647"),
        (task(downstream_task_ids=["gone"]), "'gone', which is not in the DAG"),
        (dag(tasks=[TaskSpec("t"), TaskSpec("t")]), "'t' is used twice"),
        (dag(tasks=[TaskSpec("a", downstream_task_ids=["b"]), TaskSpec("b", downstream_task_ids=["a"])]), "a -> b -> a"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_said_c04_d(spec, words):
    found = problems(spec)
    assert any(words in problem for problem in found), found


def test_an_empty_tag_is_one_as_in_airflow_c04_d():
    assert problems(dag(tags=["", "a"])) == []


def test_a_circle_is_found_at_any_depth_without_recursion_c04_d():
    chain = {str(n): [str(n + 1)] for n in range(50_000)} | {"50000": []}
    assert find_cycle(chain) == []
    chain["50000"] = ["49999"]
    assert find_cycle(chain) == ["49999", "50000", "49999"]


def test_a_param_needs_a_valid_default_only_where_runs_are_scheduled_c04_d():
    params = {"n": {"value": "x", "schema": {"type": "integer"}}, "free": {"value": None, "schema": {}}}
    assert list(param_problems(params, needs_defaults=False)) == []
    (problem,) = param_problems(params, needs_defaults=True)
    assert problem.endswith("'n' has 'x': 'x' is not of type 'integer'")


def test_a_schema_that_is_none_is_refused_in_any_case_c04_d():
    (problem,) = param_problems({"n": {"value": 1, "schema": {"type": "int"}}}, needs_defaults=False)
    assert "'n' has an invalid JSON schema" in problem
