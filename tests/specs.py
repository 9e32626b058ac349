"""Decides how tests write a DAG down in a line or two: ``dag("a >> b >> c, a >> c", c={"trigger_rule": "all_done"})``."""

from itertools import pairwise
from typing import Any

from orchestrator.sdk.serialization.spec import DagSpec, ExpandSpec, TaskGroupSpec, TaskSpec


def dag(graph: str, /, groups: list[TaskGroupSpec] | None = None, **tasks: dict[str, Any]) -> DagSpec:
    """Return a DAG from chains of task ids; keyword arguments give the fields of single tasks.

    A dot in a task id is written ``__`` in a keyword.
    """
    edges: list[tuple[str, str]] = []
    names: dict[str, None] = {}
    for chain in filter(None, (part.strip() for part in graph.split(","))):
        ids = [name.strip() for name in chain.split(">>")]
        names.update(dict.fromkeys(ids))
        edges.extend(pairwise(ids))
    given = {task_id.replace("__", "."): fields for task_id, fields in tasks.items()}
    specs = {name: TaskSpec(task_id=name, **given.get(name, {})) for name in names}
    for up, down in dict.fromkeys(edges):
        specs[up].downstream_task_ids.append(down)
        specs[down].upstream_task_ids.append(up)
    return DagSpec(dag_id="d", tasks=in_order(specs), task_groups=[TaskGroupSpec(None), *(groups or [])])


def in_order(specs: dict[str, TaskSpec]) -> list[TaskSpec]:
    """Return the tasks in topological order, ties by definition order. Raises ``ValueError`` for a cycle."""
    missing = {name: len(spec.upstream_task_ids) for name, spec in specs.items()}
    ready = [name for name, number in missing.items() if number == 0]
    ordered = []
    for name in ready:
        ordered.append(specs[name])
        for down in specs[name].downstream_task_ids:
            missing[down] -= 1
            if missing[down] == 0:
                ready.append(down)
    if len(ordered) < len(specs):
        raise ValueError(f"the graph has a cycle through {sorted(set(specs) - {spec.task_id for spec in ordered})}")
    return ordered


def mapped(length: int | None = None, over: str | None = None) -> dict[str, Any]:
    """Return the fields of a mapped task: over a literal of that length, or over the result of a task."""
    argument = {"xcom": {"task_id": over, "key": "return_value"}} if over else {"literal": list(range(length or 0))}
    return {"is_mapped": True, "expand": ExpandSpec(arguments={"x": argument}, length=length)}
