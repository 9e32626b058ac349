"""Decides what the graph of a DAG and of a run shows: the tasks of a version, those around one of them, and their states."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Q
from django.http import QueryDict
from django.urls import NoReverseMatch, reverse

from dags_app.graph.outside import SENSOR, TRIGGER
from dags_app.graph.structure import part_of, structure
from dags_app.graph.tree import in_definition_order
from dags_app.models import Dag, DagVersion
from dags_app.outside_rows import outside_of
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.sdk.serialization.spec import DagSpec
from runs.clear_selection import version_for_run
from runs.models import DagRun
from runs.pages.drawing import DONE, Address, Drawing, Json, drawing
from runs.pages.worst import worst

SCOPES = (("both", "before and after"), ("up", "before it"), ("down", "after it"))
DEPTHS = (1, 2, 3, 5)
MOST_VERSIONS = 50
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks: the task or group to draw around, how far, and what lies outside of the DAG."""

    focus: str = ""
    scope: str = "both"
    depth: int | None = None
    outside: bool = False
    version: int | None = None


def read_asked(query: QueryDict) -> Asked:
    """Return what an address asks; what cannot be read counts as not asked."""
    scope = query.get("scope", "")
    known = scope if scope in dict(SCOPES) else "both"
    return Asked(query.get("focus", "").strip(), known, _number(query, "depth"), "outside" in query, _number(query, "version"))


def _number(query: QueryDict, name: str) -> int | None:
    text = query.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 7 else None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as the table beside a drawing has it. ``state`` None: no run is looked at."""

    task_id: str
    label: str
    operator: str
    url: str
    group: str
    upstream: list[str]
    state: str | None = None
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class GraphPage:
    """A drawing with its table; ``problem`` says why something is missing."""

    drawing: Drawing
    rows: list[TaskRow]
    names: list[tuple[str, str]]
    problem: str = ""

    @property
    def more(self) -> int:
        """How many rows the table leaves out."""
        return max(0, len(self.rows) - MOST_ROWS)

    @property
    def rows_shown(self) -> list[TaskRow]:
        """The rows of the table."""
        return self.rows[:MOST_ROWS]


def versions_of(dag: Dag) -> list[int]:
    """Return the numbers of a DAG's versions, newest first."""
    rows = DagVersion.objects.filter(dag=dag).order_by("-version_number")
    return list(rows.values_list("version_number", flat=True)[:MOST_VERSIONS])


def dag_graph_page(dag: Dag, asked: Asked) -> GraphPage:
    """Draw a version of a DAG, the newest where none is named."""
    version_id = dag.latest_version_id
    if asked.version is not None:
        version_id = DagVersion.objects.filter(dag=dag, version_number=asked.version).values_list("pk", flat=True).first()
        if version_id is None:
            return _nothing(f"DAG {dag.dag_id} has no version {asked.version}. Choose another one.")
    if version_id is None:
        return _nothing("No version of this DAG has been stored yet. It comes when its file is read.")
    try:
        spec = spec_of(version_id)
    except SpecUnreadableError as error:
        return _nothing(f"{str(error)[0].upper()}{str(error)[1:]}.")
    return _page(spec, asked, dag_address(dag.dag_id), outside=asked.outside)


def run_graph_page(run: DagRun, asked: Asked) -> GraphPage:
    """Draw the version by which a run is decided, with the states of the run; without one, the tasks that the run has."""
    states = states_of(run)
    version_id = version_for_run(run)
    try:
        if version_id is None:
            raise SpecUnreadableError("the version that this run was made for was deleted")
        spec, problem = spec_of(version_id), ""
    except SpecUnreadableError as error:
        spec, problem = DagSpec(dag_id=run.dag_id), f"What depends on what is not known: {error}. These are the tasks of the run."
    page = _page(spec, asked, run_address(run), states, outside=asked.outside, live=f"{run.pk}")
    return GraphPage(page.drawing, page.rows, page.names, problem or page.problem)


def states_of(run: DagRun) -> dict[str, dict[str, int]]:
    """Return how many instances of each task are in each state, with ``mapped`` for how many have an index; one query."""
    rows: Any = run.task_instances.order_by().values_list("task_id", "state")
    found: dict[str, dict[str, int]] = {}
    for task_id, state, number, mapped in rows.annotate(number=Count("id"), mapped=Count("id", filter=Q(map_index__gte=0))):
        counts = found.setdefault(task_id, {})
        counts[state or "none"] = number
        if mapped:
            counts["mapped"] = counts.get("mapped", 0) + mapped
    return found


def dag_address(dag_id: str) -> Address:
    """Return where the nodes of a DAG lead."""
    routes = {"task": ("dag_task", "task_id"), "group": ("dag_group", "group_id")}

    def address(kind: str, name: str) -> str:
        if kind not in routes:
            return _beside(dag_id, kind, name)
        route, argument = routes[kind]
        return _reverse(route, dag_id=dag_id, **{argument: name})

    return address


def run_address(run: DagRun) -> Address:
    """Return where the nodes of a run lead."""

    def address(kind: str, name: str) -> str:
        if kind == "task":
            return _reverse("log_detail", dag_id=run.dag_id, run_id=run.run_id, task_id=name)
        return "" if kind == "group" else _beside(run.dag_id, kind, name)

    return address


def _beside(dag_id: str, kind: str, name: str) -> str:
    ends = _ends(kind, name)
    return _reverse("dag_graph", dag_id=ends[1] if ends[0] == dag_id else ends[0]) if ends else outside_address(kind, name)


def _ends(kind: str, name: str) -> tuple[str, str] | None:
    """Return source and target of a link between DAGs, of which the id tells; None for other nodes. DAG ids have no colon."""
    parts = name.split(":")
    return (parts[1], parts[2]) if kind in (TRIGGER, SENSOR) and len(parts) == 4 else None


def _say_links(nodes: Iterable[Json], dag_id: str) -> None:
    """Write beside each link which other DAG it leads to."""
    for node in nodes:
        if ends := _ends(node["kind"], node["id"]):
            source, target = ends
            kind = "waits for" if node["kind"] == SENSOR else "triggers" if source == dag_id else "triggered by"
            node["note"] = f"{kind} {target if source == dag_id else source}"


def outside_address(kind: str, name: str) -> str:
    """Return where assets and DAGs lead; ids are those of the graphs of dags_app: ``asset:7``, ``trigger:a:b:task``."""
    key = name.removeprefix(f"{kind}:")
    if kind == "asset" and key.isdecimal():
        return _reverse("asset_detail", asset_id=int(key))
    return _reverse("dag_detail", dag_id=key) if kind == "dag" else ""


def _reverse(route: str, **place: Any) -> str:
    try:
        return reverse(route, kwargs=place)
    except NoReverseMatch:
        return ""


def _nothing(problem: str) -> GraphPage:
    return GraphPage(Drawing(), [], [], problem)


def _page(
    spec: DagSpec,
    asked: Asked,
    address: Address,
    states: dict[str, dict[str, int]] | None = None,
    *,
    outside: bool = False,
    live: str = "",
) -> GraphPage:
    part, problem = _part(spec, asked)
    drawn = drawing(structure(spec, part, outside_of(spec) if outside else None), address)
    _say_links(drawn.nodes, spec.dag_id)
    facts: Json = {}
    if states is not None:
        strangers = [] if asked.focus else sorted(states.keys() - {task.task_id for task in spec.tasks})
        drawn.nodes.extend(_stranger(task_id, address) for task_id in strangers)
        facts = {"states": states, "live": live}
    return GraphPage(Drawing(drawn.nodes, drawn.edges, facts), _rows(spec, drawn.nodes, states), _names(spec), problem)


def _part(spec: DagSpec, asked: Asked) -> tuple[Collection[str] | None, str]:
    if not asked.focus:
        return None, ""
    up, down = asked.scope in ("both", "up"), asked.scope in ("both", "down")
    part = part_of(spec, asked.focus, upstream=up, downstream=down, depth=asked.depth)
    return part, "" if part else f"No task or group is named {asked.focus}. Show all, or choose another one."


def _stranger(task_id: str, address: Address) -> Json:
    """A task that the run has and its version has not: it was removed since."""
    return {"id": task_id, "label": task_id, "kind": "task", "operator": "removed from the DAG", "url": address("task", task_id)}


def _names(spec: DagSpec) -> list[tuple[str, str]]:
    """What one may draw around: groups and tasks, each with a word for it."""
    groups = [(str(group.group_id), "group") for group in spec.task_groups if group.group_id is not None]
    return [*groups, *((task.task_id, "") for task in in_definition_order(spec))]


def _rows(spec: DagSpec, nodes: Iterable[Json], states: dict[str, dict[str, int]] | None) -> list[TaskRow]:
    shown = [node for node in nodes if node["kind"] == "task"]
    upstream = {task.task_id: [_before(spec, up, task.task_id) for up in sorted(task.upstream_task_ids)] for task in spec.tasks}
    return [_row(node, upstream.get(node["id"], []), states) for node in shown]


def _before(spec: DagSpec, upstream: str, task_id: str) -> str:
    """Name a task that comes before another, with what the author wrote beside the edge."""
    label = spec.edge_info.get(upstream, {}).get(task_id, {}).get("label")
    return f"{upstream} ({label})" if label else upstream


def _row(node: Json, upstream: list[str], states: dict[str, dict[str, int]] | None) -> TaskRow:
    what = ", ".join(filter(None, (node.get("operator"), node.get("setup"), "mapped" if node.get("mapped") else "")))
    row = TaskRow(node["id"], node["label"], what, node.get("url", ""), node.get("parent", ""), upstream)
    if states is None:
        return row
    counts = {state: number for state, number in states.get(row.task_id, {}).items() if state != "mapped"}
    done, total = sum(number for state, number in counts.items() if state in DONE), sum(counts.values())
    # A task without an instance has no page yet.
    return replace(row, url=row.url if total else "", state=worst(counts), done=done, total=total)
