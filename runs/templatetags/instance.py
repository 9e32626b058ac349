"""Decides how a template asks for the head and the side of a task instance's page; it only needs ``ti``."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import mark_safe

from orchestrator.templatetags.shown import short_moment
from runs.cause_words import cause_words
from runs.fingerprints import first_line
from runs.models import AttemptFields
from runs.pages.ti_address import args_of, chosen_try
from runs.pages.ti_facts import with_facts
from runs.pages.ti_head import Head, head_of
from runs.pages.ti_neighbours import neighbours_of
from runs.pages.ti_turns import turns_of
from runs.tries import tries_of

register = template.Library()
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


@register.filter
def zoned_instants(sentence: str) -> str:
    """Show a sentence with its instants on the person's clock; everything else in it is text."""
    return mark_safe(_INSTANT.sub(_on_the_clock, escape(sentence)))  # noqa: S308


@register.filter
def cause_in_words(cause: str | None) -> str:
    """Say what ended a try; nothing where nothing did."""
    return cause_words(cause) if cause else ""


@register.filter
def why(attempt: AttemptFields) -> str:
    """Say why a try failed, in one line."""
    return first_line(attempt.cause_detail) or cause_words(attempt.cause)


def _on_the_clock(found: re.Match[str]) -> str:
    try:
        return short_moment(datetime.fromisoformat(found[0][:-1]).replace(tzinfo=UTC))
    except ValueError:
        return found[0]


@register.inclusion_tag("runs/_ti_head_live.html", takes_context=True)
def instance_head(context: dict[str, Any], ti: AttemptFields) -> dict[str, Any]:
    """Show name, state, tries, facts and actions of a try."""
    return {"head": _head(context, ti), "args": args_of(ti), "request": context["request"], "preferences": context["preferences"]}


@register.inclusion_tag("runs/_ti_rail.html", takes_context=True)
def instance_rail(context: dict[str, Any], ti: AttemptFields) -> dict[str, Any]:
    """Show times, neighbours and past durations of a try."""
    head = _head(context, ti)
    return {"head": head, "ti": ti, "neighbours": neighbours_of(head.current), "request": context["request"]}


@register.inclusion_tag("runs/_ti_turns.html", takes_context=True)
def instance_turns(context: dict[str, Any], ti: AttemptFields) -> dict[str, Any]:
    """Show the indexes beside this one; nothing for a task that is not mapped."""
    return {"turns": turns_of(context["request"], _head(context, ti).current), "ti": ti}


@register.simple_tag(takes_context=True)
def instance_counts(context: dict[str, Any], ti: AttemptFields) -> dict[str, int]:
    """Return the numbers of the tabs."""
    return _head(context, ti).counts


def _head(context: dict[str, Any], ti: AttemptFields) -> Head:
    """The head, made once a request however many parts of the page show something of it."""
    request = context["request"]
    made: dict[Any, Head] = request.__dict__.setdefault("instance_heads", {})
    if ti.pk not in made:
        tries = context.get("tries") or tries_of(ti.dag_id, ti.run_id, ti.task_id, ti.map_index, with_facts)
        own = next((row for row in tries if row.pk == ti.pk), ti)  # with its version, whoever has read it
        shown = chosen_try(list(tries), request.GET.get("try")) if own is tries[-1] and "try" in request.GET else own
        made[ti.pk] = head_of(request, shown, tries)
    return made[ti.pk]
