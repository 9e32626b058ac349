"""Decides what a page says of switches that were moved, with the offer to take it back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest

from accounts import acting
from dags_app.switching_back import SwitchedBack


def say_switched(request: HttpRequest, is_paused: bool, dag_ids: list[str]) -> None:
    """Say what this request switched; base.html puts a button beside it that sends the id of the request back."""
    word = "paused" if is_paused else "on"
    messages.success(request, f"{_named(dag_ids)} {word}.", extra_tags=acting.facts().request_id)


def say_switched_back(request: HttpRequest, done: SwitchedBack) -> None:
    """Say what was taken back, and what was not."""
    if done.paused:
        messages.success(request, f"{_named(done.paused)} paused again. Runs that were made meanwhile stay.")
    if done.unpaused:
        messages.success(request, f"{_named(done.unpaused)} on again.")
    if done.left:
        messages.warning(request, f"{_named(done.left)} left alone: somebody moved the switch since.")
    elif not done.paused and not done.unpaused:
        messages.error(request, "Nothing is taken back: it is too long ago.")


def _named(dag_ids: list[str]) -> str:
    return f"{dag_ids[0]} is" if len(dag_ids) == 1 else f"{len(dag_ids):,} DAGs are"
