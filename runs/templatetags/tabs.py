"""Decides how a template asks for the tabs of a DAG, a run or a task instance."""

from collections.abc import Callable
from typing import Any

from django import template

from runs.hitl.selectors import count_of_dag, count_of_run
from runs.pages import tabs as page_tabs
from runs.pages.run.run_facts import facts_of

register = template.Library()
# The tab whose number the pages need not count themselves.
ASKED = "Required actions"


@register.inclusion_tag("runs/_tabs.html", takes_context=True)
def dag_tabs(context: dict[str, Any], dag_id: str, counts: dict[str, int] | None = None) -> dict[str, Any]:
    """Show the tabs of a DAG's pages."""
    return _shown(context, "dag", {"dag_id": dag_id}, _with(counts, lambda: count_of_dag(dag_id)))


@register.inclusion_tag("runs/_tabs.html", takes_context=True)
def run_tabs(context: dict[str, Any], run: Any, counts: dict[str, int] | None = None) -> dict[str, Any]:
    """Show the tabs of a run's pages."""
    place = {"dag_id": run.dag_id, "run_id": run.run_id}
    return _shown(context, "run", place, _with(counts, lambda: facts_of(run).questions))


@register.inclusion_tag("runs/_tabs.html", takes_context=True)
def instance_tabs(context: dict[str, Any], ti: Any, counts: dict[str, int] | None = None) -> dict[str, Any]:
    """Show the tabs of a task instance's pages; ``ti`` may be an earlier try."""
    place = {"dag_id": ti.dag_id, "run_id": ti.run_id, "task_id": ti.task_id}
    counts = _with(counts, lambda: count_of_run(ti.dag_run_id, task_id=ti.task_id, map_index=ti.map_index))
    return _shown(context, "instance", place | ({"map_index": ti.map_index} if ti.map_index >= 0 else {}), counts)


def _with(counts: dict[str, int] | None, asked: Callable[[], int]) -> dict[str, int]:
    """The numbers with that of the questions, which is counted where the page has not done so."""
    known = counts or {}
    return known if ASKED in known else {ASKED: asked(), **known}


def _shown(context: dict[str, Any], kind: str, place: dict[str, Any], counts: dict[str, int] | None) -> dict[str, Any]:
    match = context["request"].resolver_match
    return {"tabs": page_tabs.tabs(kind, match.url_name if match else "", place, counts), "kind": kind}
