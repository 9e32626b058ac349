"""Decides the form of nodes and edges of a graph: the fields of Airflow's answers, with null for what does not apply."""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]
Edge = dict[str, Any]


def node(node_id: str, label: str, kind: str, **facts: Any) -> Node:
    """Return a node; ``facts`` are fields that are not null. ``kind`` is ``task`` for groups too."""
    return {
        "id": node_id,
        "label": label,
        "type": kind,
        "team": None,
        "children": None,
        "is_mapped": None,
        "tooltip": None,
        "setup_teardown_type": None,
        "operator": None,
        "asset_condition_type": None,
        **facts,
    }


def edge(source: str, target: str, **facts: Any) -> Edge:
    """Return an edge; ``facts`` are fields that are not null."""
    return {
        "source_id": source,
        "target_id": target,
        "is_setup_teardown": None,
        "label": None,
        "is_source_asset": None,
        **facts,
    }


def upstream_join(group_id: str) -> str:
    """Return the id of the point that is drawn before a group."""
    return f"{group_id}.upstream_join_id"


def downstream_join(group_id: str) -> str:
    """Return the id of the point that is drawn after a group."""
    return f"{group_id}.downstream_join_id"
