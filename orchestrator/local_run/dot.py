"""Decides how a DAG is drawn: as a graph in the DOT language, with the colours of its operators, or of a run's states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec

_STATE_COLOURS = {
    "success": "green",
    "failed": "red",
    "upstream_failed": "orange",
    "skipped": "hotpink",
    "removed": "lightgrey",
}


def as_dot(spec: DagSpec, states: Mapping[str, str | None] | None = None) -> str:
    """Return the DAG as DOT; with ``states`` by task id, tasks have the colours of their states."""
    tasks = {task.task_id: task for task in spec.tasks}
    lines = [f"digraph {_quoted(spec.dag_id)} {{", "  rankdir=LR", f"  label={_quoted(spec.dag_id)}", "  labelloc=t"]
    groups = {group.group_id: group for group in spec.task_groups}
    root = groups.get(None)
    lines += _group(root, groups, tasks, states) if root else [_node(task_id, tasks, states) for task_id in tasks]
    for task in spec.tasks:
        for below in task.downstream_task_ids:
            label = spec.edge_info.get(task.task_id, {}).get(below, {}).get("label")
            attributes = f" [label={_quoted(label)}]" if label else ""
            lines.append(f"  {_quoted(task.task_id)} -> {_quoted(below)}{attributes}")
    return "\n".join([*lines, "}"])


def _group(group: TaskGroupSpec, groups: Mapping, tasks: Mapping, states: Mapping | None, depth: int = 1) -> list[str]:  # type: ignore[type-arg]
    lines: list[str] = []
    pad = "  " * depth
    for child in group.children:
        if child in tasks:
            lines.append(pad + _node(child, tasks, states).strip())
        elif child in groups:
            label = groups[child].display_name or child
            inner = _group(groups[child], groups, tasks, states, depth + 1)
            lines += [f"{pad}subgraph {_quoted(f'cluster_{child}')} {{", f"{pad}  label={_quoted(label)}", *inner, f"{pad}}}"]
    return lines


def _node(task_id: str, tasks: Mapping, states: Mapping | None) -> str:  # type: ignore[type-arg]
    task = tasks[task_id]
    colour = task.ui_color if states is None else _STATE_COLOURS.get(states.get(task_id) or "", "white")
    label, font = _quoted(task.task_display_name or task_id), _quoted(task.ui_fgcolor)
    style = f'color={font} fillcolor={_quoted(colour)} label={label} shape=rectangle style="filled,rounded"'
    return f"  {_quoted(task_id)} [{style}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def links_as_dot(links: Iterable[Mapping[str, Any]]) -> str:
    """Return links between DAGs and assets (``DagSpec.dependencies``) as DOT; one that two DAGs tell of is drawn once."""
    lines = {'digraph "dependencies" {': None, "  rankdir=LR": None}
    for link in links:
        ends = [_end(link, side) for side in ("source", "target")]
        for name, shape in ends:
            lines[f"  {_quoted(name)} [shape={shape}]"] = None
        kind, label = link["dependency_type"], link["label"]
        attributes = f" [label={_quoted(f'{kind} {label}')}]" if kind != "asset" else ""
        lines[f"  {_quoted(ends[0][0])} -> {_quoted(ends[1][0])}{attributes}"] = None
    return "\n".join([*lines, "}"])


def _end(link: Mapping[str, Any], side: str) -> tuple[str, str]:
    """Return name and shape of one end; an asset may have the name of a DAG."""
    if link[side] == "asset" and link["dependency_type"] == "asset":
        return f"asset: {link['label']}", "note"
    return str(link[side]), "box"
