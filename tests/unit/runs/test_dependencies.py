"""The conditions that decide about one task instance, apart from the recorded vectors."""

import pytest

from runs.dependencies import Decision, Outcome, PastFacts, Seen, WaitReason, decide, past_block, run_outcome
from runs.state_counts import FAILED, REMOVED, SKIPPED, SUCCESS, UNFINISHED, UPSTREAM_FAILED, StateCounts
from runs.states import DagRunState
from runs.trigger_rules import rule_named


def test_an_unknown_trigger_rule_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'dummy'.*all_done.*one_success"):
        rule_named("dummy")


def test_a_task_without_upstream_runs_under_every_rule() -> None:
    assert decide("all_skipped", Seen()).outcome is Outcome.RUN


@pytest.mark.parametrize("bit", [FAILED, UPSTREAM_FAILED])
def test_a_failed_indirect_setup_overrides_every_rule_except_always(bit: int) -> None:
    seen = Seen(direct=SUCCESS, setup=bit)
    assert decide("one_success", seen).outcome is Outcome.UPSTREAM_FAILED
    assert decide("all_done", seen).outcome is Outcome.UPSTREAM_FAILED
    assert decide("always", seen).outcome is Outcome.RUN


def test_a_setup_that_is_not_done_holds_back_only_what_would_run() -> None:
    assert decide("all_done", Seen(direct=SUCCESS, setup=UNFINISHED)) == Decision(Outcome.WAIT, WaitReason.SETUP)
    assert decide("all_success", Seen(direct=FAILED, setup=UNFINISHED)).outcome is Outcome.UPSTREAM_FAILED


def test_a_teardown_waits_for_everything_between_its_setup_and_itself() -> None:
    seen = Seen(direct=SUCCESS, direct_setup=SUCCESS, scope=UNFINISHED | SUCCESS)
    assert decide("all_done_setup_success", seen, is_teardown=True) == Decision(Outcome.WAIT, WaitReason.TEARDOWN_SCOPE)
    assert decide("all_done_setup_success", seen._replace(scope=FAILED), is_teardown=True).outcome is Outcome.RUN


def test_a_mapped_task_fails_with_the_task_it_is_mapped_over_whatever_its_rule() -> None:
    assert decide("always", Seen(direct=FAILED, mapped=FAILED)).outcome is Outcome.UPSTREAM_FAILED
    assert decide("all_done", Seen(direct=SKIPPED, mapped=SKIPPED)).outcome is Outcome.SKIP


def test_only_an_unexpanded_task_waits_for_what_it_is_mapped_over() -> None:
    seen = Seen(direct=UNFINISHED, mapped=UNFINISHED)
    assert decide("always", seen) == Decision(Outcome.WAIT, WaitReason.MAPPED_INPUT)
    assert decide("always", seen, expanded=True).outcome is Outcome.RUN


def test_waiting_for_a_removed_upstream_has_a_reason_of_its_own() -> None:
    assert decide("all_skipped", Seen(direct=REMOVED)).reason is WaitReason.UPSTREAM_REMOVED


@pytest.mark.parametrize(
    ("facts", "held"),
    [
        (None, True),
        (PastFacts(has_previous_run=False), False),
        (PastFacts(True, instances=2), False),
        (PastFacts(True, instances=2, unsuccessful=1), True),
        (PastFacts(True, instances=0), False),
        (PastFacts(True, instances=0, ran_before=True), True),
        (PastFacts(True, instances=1, unsuccessful=1, exempt=True), False),
        (PastFacts(True, instances=1, unsuccessful_downstream=1), False),
    ],
)
def test_the_past_holds_a_task_back_until_it_succeeded_there(facts: PastFacts | None, held: bool) -> None:
    assert bool(past_block(facts)) is held


def test_a_task_that_does_not_ignore_its_first_run_waits_for_an_instance_in_the_past() -> None:
    assert past_block(PastFacts(True, instances=0), ignore_first=False)


def test_wait_for_downstream_looks_at_the_tasks_below() -> None:
    assert past_block(PastFacts(True, instances=1, unsuccessful_downstream=1), wait_for_downstream=True)


def test_a_run_fails_with_one_failed_leaf() -> None:
    assert run_outcome(SUCCESS | UPSTREAM_FAILED) is DagRunState.FAILED
    assert run_outcome(SUCCESS | SKIPPED | REMOVED) is DagRunState.SUCCESS


def test_counters_tell_a_change_of_the_mask_from_a_change_of_numbers() -> None:
    counts = StateCounts()
    assert [counts.add(UNFINISHED), counts.add(UNFINISHED)] == [True, False]
    assert counts.move(UNFINISHED, SUCCESS) is True
    assert counts.present == UNFINISHED | SUCCESS
    assert counts.move(UNFINISHED, SUCCESS) is True
    assert (counts.present, counts.number(SUCCESS)) == (SUCCESS, 2)
    with pytest.raises(ValueError, match="below zero"):
        counts.drop(UNFINISHED)
