"""Decides how a template asks for the head of a DAG's pages, so that every such page needs only the DAG."""

from typing import Any

from django import template

from dags_app.models import Dag
from runs.pages.dag_head import DagHead, head_of

register = template.Library()


@register.simple_tag(takes_context=True)
def head(context: dict[str, Any], dag: Dag) -> DagHead:
    """Return the head of a DAG for the person who asks."""
    return head_of(dag, context["request"].user)
