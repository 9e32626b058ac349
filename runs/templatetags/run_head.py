"""Decides how a template asks for the head of a run, so that every page of a run shows the same one by its run alone."""

from typing import Any

from django import template
from django.urls import reverse

from runs.pages.run.head import RunHead, head_of

register = template.Library()


@register.simple_tag(takes_context=True)
def head_of_run(context: dict[str, Any], run: Any) -> RunHead:
    """Return the head of a run for the person of the request."""
    return head_of(run, context["request"].user)


@register.simple_tag(takes_context=True)
def same_page_of(context: dict[str, Any], run: Any) -> str:
    """Return the address of the present tab for another run, so that going to it keeps the tab."""
    match = context["request"].resolver_match
    is_tab = bool(match) and set(match.kwargs) == {"dag_id", "run_id"} and (match.url_name or "").startswith("run_")
    return reverse(match.url_name if is_tab else "run_detail", args=[run.dag_id, run.run_id])
