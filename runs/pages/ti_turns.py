"""Decides which indexes of a mapped task stand beside the one that is shown, and which page of them one goes to: the same tab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from runs.models import TaskInstance
from runs.pages.tabs import INSTANCE
from runs.pages.ti_address import args_of, path_of_instance
from runs.pages.ti_facts import OF_INDEX, facts_of

# What of the address means the same for another index; a try and a line of a log do not.
_KEPT = ("level", "q", "regex")
_TABS = frozenset(route for _, routes in INSTANCE for route in routes)


@dataclass(frozen=True, slots=True)
class Turn:
    """Another index: how it is called, its state, and where its page is."""

    ti: TaskInstance
    url: str

    @property
    def name(self) -> str:
        """The label that the author's template made, or the number."""
        return self.ti.rendered_map_index or str(self.ti.map_index)


@dataclass(frozen=True, slots=True)
class Turns:
    """The index before and the one after; None at the ends."""

    previous: Turn | None
    next: Turn | None


def turns_of(request: HttpRequest, current: TaskInstance) -> Turns | None:
    """Return what stands beside an index, which comes with it; None for a task that is not mapped."""
    if current.map_index < 0:
        return None
    facts = facts_of(current)
    return Turns(_turn(request, current, facts.previous), _turn(request, current, facts.next))


def _turn(request: HttpRequest, beside: TaskInstance, found: Sequence[Sequence[Any]]) -> Turn | None:
    if not found:
        return None
    task = {name: getattr(beside, name) for name in ("dag_run_id", "dag_id", "run_id", "task_id")}
    ti = TaskInstance(**task, **dict(zip(OF_INDEX, found[0], strict=True)))
    match = request.resolver_match
    is_tab = match is not None and match.url_name in _TABS and "map_index" in match.kwargs
    path = reverse(match.url_name, args=args_of(ti)) if is_tab and match and match.url_name else path_of_instance(ti)
    kept = QueryDict(mutable=True)
    for name in _KEPT:
        kept.setlist(name, request.GET.getlist(name))
    return Turn(ti, f"{path}?{kept.urlencode()}" if kept.urlencode() else path)
