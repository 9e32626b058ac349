"""Decides what may happen to one task instance: from the states upstream of it, its past and a branch to an outcome.

Everything here is pure. The states of the upstream instances come as masks (``state_counts``), one per kind of watch
(``Watch``), so that a decision costs the same for one upstream instance and for ten thousand.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import NamedTuple

from runs.state_counts import ANY_FAILED, REMOVED, SKIPPED, SUCCESS, UNFINISHED, StateCounts
from runs.states import DagRunState
from runs.trigger_rules import ALL_SUCCESS, ALWAYS, Outcome, rule_named

__all__ = ["Decision", "Outcome", "PastFacts", "Seen", "WaitReason", "Watch", "decide", "is_surplus", "past_block", "run_outcome"]


class Watch(IntEnum):
    """Why one task looks at the state of another; the positions in ``Seen``."""

    DIRECT = 0  # direct upstream
    DIRECT_SETUP = 1  # the setups among the direct upstream
    SETUP = 2  # setups further up, in whose scope the task is
    SCOPE = 3  # for a teardown: the tasks between its setups and itself
    MAPPED = 4  # tasks whose results give a mapped task its length


class Seen(NamedTuple):
    """Masks of the states seen, one per ``Watch``."""

    direct: int = 0
    direct_setup: int = 0
    setup: int = 0
    scope: int = 0
    mapped: int = 0


class WaitReason(StrEnum):
    """Why a task instance without a state is not scheduled."""

    UPSTREAM = "upstream"
    SETUP = "setup"
    TEARDOWN_SCOPE = "teardown_scope"
    MAPPED_INPUT = "mapped_input"
    PAST = "depends_on_past"
    UPSTREAM_REMOVED = "upstream_removed"


class Decision(NamedTuple):
    """What to do, and why: ``reason`` is set where the outcome is WAIT, ``detail`` only where somebody asked for it."""

    outcome: Outcome
    reason: WaitReason | None = None
    detail: str = ""


_RUN = Decision(Outcome.RUN)


@lru_cache(maxsize=4096)
def decide(rule: str, seen: Seen, *, is_teardown: bool = False, expanded: bool = False) -> Decision:
    """Return what the upstream states alone say about a task instance.

    ``rule`` is the trigger rule's name; ``expanded`` tells an instance with a map index from one without.
    Raises ``ValueError`` for an unknown rule.
    """
    decision = _by_rule(rule, seen)
    if is_teardown:
        if decision.outcome is Outcome.RUN and seen.scope & UNFINISHED:
            decision = Decision(Outcome.WAIT, WaitReason.TEARDOWN_SCOPE)
    elif rule != ALWAYS:
        decision = _override(_by_setups(seen.setup, expanded), decision)
    return _with_mapped_input(_by_mapped_input(seen.mapped, expanded), decision)


def _by_rule(rule: str, seen: Seen) -> Decision:
    check = rule_named(rule)
    if not seen.direct:
        return _RUN
    outcome = check(seen.direct, seen.direct_setup)
    if outcome is not Outcome.WAIT:
        return Decision(outcome)
    return Decision(outcome, WaitReason.UPSTREAM if seen.direct & UNFINISHED else WaitReason.UPSTREAM_REMOVED)


def _by_setups(setups: int, expanded: bool) -> Decision:
    """Judge the setups in whose scope the task is: one that failed or was skipped decides at once."""
    if setups & ANY_FAILED:
        return Decision(Outcome.UPSTREAM_FAILED)
    if setups & SKIPPED:
        return Decision(Outcome.SKIP)
    if setups & UNFINISHED:
        return Decision(Outcome.WAIT, WaitReason.SETUP)
    if setups & REMOVED and not expanded:
        return Decision(Outcome.WAIT, WaitReason.UPSTREAM_REMOVED)
    return _RUN


def _by_mapped_input(inputs: int, expanded: bool) -> Decision:
    """Judge the tasks that give a mapped task its length: without their result there is nothing to map over."""
    if inputs & ANY_FAILED:
        return Decision(Outcome.UPSTREAM_FAILED)
    if inputs & SKIPPED:
        return Decision(Outcome.SKIP)
    if inputs & REMOVED:
        return Decision(Outcome.WAIT, WaitReason.UPSTREAM_REMOVED)
    if inputs & UNFINISHED and not expanded:
        return Decision(Outcome.WAIT, WaitReason.MAPPED_INPUT)
    return _RUN


def _override(setup: Decision, decision: Decision) -> Decision:
    """A setup's verdict goes before the rule's; a setup that is not done only holds back what would run."""
    if setup.outcome is Outcome.RUN:
        return decision
    if setup.outcome is Outcome.WAIT and decision.outcome is not Outcome.RUN:
        return decision
    return setup


def _with_mapped_input(mapped: Decision, decision: Decision) -> Decision:
    if mapped.outcome is Outcome.RUN or decision.outcome is Outcome.UPSTREAM_FAILED:
        return decision
    if mapped.outcome is Outcome.WAIT and decision.outcome is not Outcome.RUN:
        return decision
    return mapped


def is_surplus(rule: str, map_index: int, direct: StateCounts | None, setups: StateCounts | None) -> bool:
    """Return whether an expanded instance has no counterpart left upstream, because the upstream was mapped shorter.

    Asked only for an instance that would run. ``direct`` and ``setups`` are the counters of those watches.
    """
    watched = ([direct] if rule == ALL_SUCCESS else []) + ([setups] if rule != ALWAYS else [])
    return any(counts is not None and _beyond(map_index, counts) for counts in watched)


def _beyond(map_index: int, counts: StateCounts) -> bool:
    both = SUCCESS | REMOVED
    return counts.present & both == both and map_index >= counts.numbers[SUCCESS]


@dataclass(frozen=True, slots=True)
class PastFacts:
    """What the previous run says about a task that has ``depends_on_past``.

    The previous run is the one before by logical date (with catchup: the previous scheduled one). ``unsuccessful``
    counts the task's instances there that are neither success nor skipped, unfinished ones included;
    ``unsuccessful_downstream`` the same over its direct downstream tasks. ``exempt`` is for a run that has no past to
    wait for: the first of a backfill, or one whose previous run lies before the task's start date with catchup.
    """

    has_previous_run: bool
    instances: int = 0
    unsuccessful: int = 0
    unsuccessful_downstream: int = 0
    ran_before: bool = False  # any instance of the task in any earlier run
    exempt: bool = False


def past_block(facts: PastFacts | None, *, wait_for_downstream: bool = False, ignore_first: bool = True) -> str:
    """Return why the past holds a task with ``depends_on_past`` back, or ``""`` where it does not.

    ``facts`` None means that nobody has looked yet: the task waits.
    """
    if facts is None:
        return "its previous run has not been looked up yet"
    if facts.exempt or not facts.has_previous_run:
        return ""
    if not facts.instances:
        return "" if ignore_first and not facts.ran_before else "it has no instance in the previous run"
    if facts.unsuccessful:
        return f"{facts.unsuccessful} instance(s) in the previous run did not succeed"
    if wait_for_downstream and facts.unsuccessful_downstream:
        return f"{facts.unsuccessful_downstream} instance(s) downstream of it in the previous run did not succeed"
    return ""


def run_outcome(leaves: int) -> DagRunState:
    """Return how a run ended whose instances are all finished; ``leaves`` is the mask of the states of its leaves."""
    return DagRunState.FAILED if leaves & ANY_FAILED else DagRunState.SUCCESS
