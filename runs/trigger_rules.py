"""Decides what each of the thirteen trigger rules says, given which states the direct upstream instances are in."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from runs.state_counts import ANY_FAILED, FAILED, SKIPPED, SUCCESS, UNFINISHED


class Outcome(StrEnum):
    """What is to be done with a task instance."""

    RUN = "run"
    EXPAND = "expand"
    WAIT = "wait"
    SKIP = "skip"
    UPSTREAM_FAILED = "upstream_failed"
    REMOVED = "removed"


# (mask of all direct upstream instances, mask of those that are setups) -> outcome. The masks are never both empty.
Rule = Callable[[int, int], Outcome]

ALWAYS: Final = "always"
ALL_SUCCESS: Final = "all_success"

# Rules that a part of the upstream instances can satisfy or refute.
DECIDED_BY_FEW: Final = frozenset({"one_success", "one_failed", "one_done", "none_failed_min_one_success"})


def rule_named(name: str) -> Rule:
    """Return the trigger rule of that name. Raises ``ValueError`` naming the known ones."""
    try:
        return _RULES[name]
    except KeyError:
        raise ValueError(f"unknown trigger rule {name!r}; use one of: {', '.join(sorted(_RULES))}") from None


def _when_done(seen: int) -> Outcome:
    return Outcome.WAIT if seen & UNFINISHED else Outcome.RUN


def _all_success(seen: int, _setups: int) -> Outcome:
    if seen & ANY_FAILED:
        return Outcome.UPSTREAM_FAILED
    return Outcome.SKIP if seen & SKIPPED else _when_done(seen)


def _all_failed(seen: int, _setups: int) -> Outcome:
    return Outcome.SKIP if seen & (SUCCESS | SKIPPED) else _when_done(seen)


def _all_done(seen: int, _setups: int) -> Outcome:
    return _when_done(seen)


def _all_done_min_one_success(seen: int, _setups: int) -> Outcome:
    if seen & SKIPPED:
        return Outcome.SKIP
    if seen & UNFINISHED:
        return Outcome.WAIT
    return Outcome.RUN if seen & SUCCESS else Outcome.UPSTREAM_FAILED


def _all_done_setup_success(seen: int, setups: int) -> Outcome:
    if seen & UNFINISHED or not setups or setups & SUCCESS:
        return _when_done(seen)
    return Outcome.SKIP if setups == SKIPPED else Outcome.UPSTREAM_FAILED


def _one_success(seen: int, _setups: int) -> Outcome:
    if seen & SUCCESS:
        return Outcome.RUN
    if seen & UNFINISHED:
        return Outcome.WAIT
    return Outcome.SKIP if seen == SKIPPED else Outcome.UPSTREAM_FAILED


def _one_failed(seen: int, _setups: int) -> Outcome:
    if seen & ANY_FAILED:
        return Outcome.RUN
    return Outcome.WAIT if seen & UNFINISHED else Outcome.SKIP


def _one_done(seen: int, _setups: int) -> Outcome:
    if seen & (SUCCESS | FAILED):
        return Outcome.RUN
    return Outcome.WAIT if seen & UNFINISHED else Outcome.SKIP


def _none_failed(seen: int, _setups: int) -> Outcome:
    return Outcome.UPSTREAM_FAILED if seen & ANY_FAILED else _when_done(seen)


def _none_failed_min_one_success(seen: int, _setups: int) -> Outcome:
    if seen & ANY_FAILED:
        return Outcome.UPSTREAM_FAILED
    return _one_success(seen, _setups) if not seen & UNFINISHED else Outcome.WAIT


def _none_skipped(seen: int, _setups: int) -> Outcome:
    return Outcome.SKIP if seen & SKIPPED else _when_done(seen)


def _all_skipped(seen: int, _setups: int) -> Outcome:
    if seen & (SUCCESS | ANY_FAILED):
        return Outcome.SKIP
    # A removed upstream is neither skipped nor anything else: the task waits until somebody clears or marks it.
    return Outcome.RUN if seen == SKIPPED else Outcome.WAIT


def _always(_seen: int, _setups: int) -> Outcome:
    return Outcome.RUN


_RULES: Final[dict[str, Rule]] = {
    ALL_SUCCESS: _all_success,
    "all_failed": _all_failed,
    "all_done": _all_done,
    "all_done_min_one_success": _all_done_min_one_success,
    "all_done_setup_success": _all_done_setup_success,
    "one_success": _one_success,
    "one_failed": _one_failed,
    "one_done": _one_done,
    "none_failed": _none_failed,
    "none_failed_min_one_success": _none_failed_min_one_success,
    "none_skipped": _none_skipped,
    "all_skipped": _all_skipped,
    ALWAYS: _always,
}
