"""Decides the addresses that lead from a list to the same list with other parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict


@dataclass(frozen=True, slots=True)
class Quick:
    """A link that turns a state on or off."""

    value: str
    label: str
    url: str
    is_on: bool


def without_empty(query: QueryDict) -> QueryDict:
    """Return the query without parameters that are empty texts."""
    kept = QueryDict(mutable=True)
    for name, values in query.lists():
        if some := [value for value in values if value != ""]:
            kept.setlist(name, some)
    return kept


def changed(query: QueryDict, drop: Sequence[str] = (), **given: Any) -> str:
    """Return the address of the same page with other parameters; ``""`` or None takes one away."""
    copy = without_empty(query)
    for name in (*drop, *given):
        copy.pop(name, None)
    for name, value in given.items():
        if value not in ("", None):
            copy[name] = str(value)
    return f"?{copy.urlencode()}"


def quick_of(state: str, query: QueryDict) -> Quick:
    """Return the link that turns a state on or off."""
    is_on = state in query.getlist("state")
    url = without(query, "state", state) if is_on else changed(query, ("offset", "cursor"), state=state)
    return Quick(state, state.replace("_", " "), url, is_on)


def without(query: QueryDict, name: str, value: str) -> str:
    """Return the address without one value of a parameter, from the first page on."""
    copy = without_empty(query)
    copy.setlist(name, [other for other in copy.getlist(name) if other != value])
    for dropped in ("offset", "cursor"):
        copy.pop(dropped, None)
    return f"?{copy.urlencode()}"
