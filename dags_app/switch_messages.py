"""Decides what a page says of switches that were moved, with the offer to take it back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest

from accounts import acting
from dags_app.switching_back import MOST_UNDONE, SwitchedBack


def say_switched(request: HttpRequest, is_paused: bool, dag_ids: list[str]) -> None:
    """Say what this request switched; base.html puts a button beside it that sends the id of the request back.

    Of more DAGs than ``MOST_UNDONE`` there is no button.
    """
    undone_by = acting.facts().request_id if len(dag_ids) <= MOST_UNDONE else ""
    messages.success(request, f"{_named(dag_ids)} {_word(is_paused)}.", extra_tags=undone_by)


def say_unmoved(request: HttpRequest, is_paused: bool, dag_id: str) -> None:
    """Say that the switch stood so already: somebody else moved it since the page was made, and there is nothing to undo."""
    messages.info(request, f"{dag_id} was {_word(is_paused)} already.")


def say_switched_back(request: HttpRequest, done: SwitchedBack) -> None:
    """Say what was taken back, and what was not."""
    if done.paused:
        messages.success(request, f"{_named(done.paused)} paused again. Runs that were made meanwhile stay.")
    if done.unpaused:
        messages.success(request, f"{_named(done.unpaused)} on again.")
    if done.left_out:
        of = done.left_out[0] if len(done.left_out) == 1 else f"{len(done.left_out):,} DAGs"
        messages.warning(request, f"Intervals of {of} that were left out stay so: a run after them was made meanwhile.")
    if done.left:
        messages.warning(request, f"{_named(done.left)} left alone: somebody moved the switch since.")
    if done.gone:
        messages.warning(request, f"{_named(done.gone)} left alone: deleted meanwhile, or no longer yours to switch.")
    if done.is_nothing:
        messages.error(request, "Nothing is taken back: it is too long ago, or it was not you who moved the switch.")


def _word(is_paused: bool) -> str:
    return "paused" if is_paused else "on"


def _named(dag_ids: list[str]) -> str:
    return f"{dag_ids[0]} is" if len(dag_ids) == 1 else f"{len(dag_ids):,} DAGs are"
