"""Decides which state stands for many task instances, on every page: the first of ``WORST_FIRST`` that any of them has."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Case, IntegerField, Value, When

# The word for no state, and for one that nobody knows.
NONE = "none"
# What needs a person comes first, then what is at work, then what waits, then what is done.
WORST_FIRST = (
    *("failed", "upstream_failed", "awaiting_input", "up_for_retry", "restarting", "running", "queued", "scheduled"),
    *("deferred", "up_for_reschedule", NONE, "success", "skipped", "removed"),
)
_RANK = {state: rank for rank, state in enumerate(WORST_FIRST)}
_RANK_OF_NONE = _RANK[NONE]


def rank(state: str | None) -> int:
    """Return the place of a state in the order."""
    return _RANK.get(state or NONE, _RANK_OF_NONE)


def known(state: str | None) -> str:
    """Return a state as a word that style sheets know."""
    return state if state in _RANK else NONE


def worst(states: Iterable[str | None]) -> str:
    """Return the word of the state that stands for several."""
    return known(min(states, key=rank, default=None))


def state_of(word: str) -> str | None:
    """Return the state of a word."""
    return None if word == NONE else word


def rank_of_row() -> Case:
    """Return the place of a task instance's state as an expression to order rows by."""
    whens = [When(state=state, then=Value(place)) for state, place in _RANK.items() if state != NONE]
    return Case(*whens, default=Value(_RANK_OF_NONE), output_field=IntegerField())
