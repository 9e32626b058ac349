"""The table of states: every state can be entered, and left by somebody."""

from itertools import product

import pytest

from runs.causes import INFRA_CAUSES, Cause
from runs.states import EDGES, FINISHED, RUN_EDGES, UNFINISHED, DagRunState, TaskInstanceState, is_edge

STATES = [None, *TaskInstanceState]


def test_every_state_has_its_edges_and_finished_and_unfinished_divide_them() -> None:
    assert set(EDGES) == set(STATES) == FINISHED | UNFINISHED
    assert set(RUN_EDGES) == set(DagRunState)
    assert not FINISHED & UNFINISHED


@pytest.mark.parametrize("state", TaskInstanceState)
def test_every_state_can_be_cleared_and_reached(state: TaskInstanceState) -> None:
    assert is_edge(state, None)
    assert EDGES[state]


@pytest.mark.parametrize(("old", "new"), list(product(sorted(FINISHED), sorted(UNFINISHED - {None}))))
def test_a_finished_attempt_starts_again_only_by_being_cleared(old: TaskInstanceState, new: TaskInstanceState) -> None:
    assert not is_edge(old, new)


def test_an_attempt_runs_only_after_it_was_handed_over() -> None:
    assert EDGES[TaskInstanceState.RUNNING] == {TaskInstanceState.QUEUED, TaskInstanceState.RESTARTING}


def test_a_cause_of_the_platform_never_is_the_author_s() -> None:
    assert not INFRA_CAUSES & {Cause.USER_EXCEPTION, Cause.EXIT_CODE, Cause.EXECUTION_TIMEOUT, Cause.MARKED}
