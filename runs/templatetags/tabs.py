"""Decides how a template asks for the tabs of a DAG, a run or a task instance."""

from typing import Any

from django import template

from runs.pages import tabs as page_tabs

register = template.Library()


@register.inclusion_tag("runs/_tabs.html", takes_context=True)
def dag_tabs(context: dict[str, Any], dag_id: str, counts: dict[str, int] | None = None) -> dict[str, Any]:
    """Show the tabs of a DAG's pages."""
    return _shown(context, "dag", {"dag_id": dag_id}, counts)


@register.inclusion_tag("runs/_tabs.html", takes_context=True)
def run_tabs(context: dict[str, Any], run: Any, counts: dict[str, int] | None = None) -> dict[str, Any]:
    """Show the tabs of a run's pages."""
    return _shown(context, "run", {"dag_id": run.dag_id, "run_id": run.run_id}, counts)


@register.inclusion_tag("runs/_tabs.html", takes_context=True)
def instance_tabs(context: dict[str, Any], ti: Any, counts: dict[str, int] | None = None) -> dict[str, Any]:
    """Show the tabs of a task instance's pages; ``ti`` may be an earlier try."""
    place = {"dag_id": ti.dag_id, "run_id": ti.run_id, "task_id": ti.task_id}
    return _shown(context, "instance", place | ({"map_index": ti.map_index} if ti.map_index >= 0 else {}), counts)


def _shown(context: dict[str, Any], kind: str, place: dict[str, Any], counts: dict[str, int] | None) -> dict[str, Any]:
    match = context["request"].resolver_match
    return {"tabs": page_tabs.tabs(kind, match.url_name if match else "", place, counts), "kind": kind}
