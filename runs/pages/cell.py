"""Decides what is told of a task or a task group in one run: the instances, worst first, and how long they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, QuerySet
from django.http import Http404
from django.urls import reverse

from dags_app.graph.tree import GroupTree
from dags_app.models import Dag
from runs.cause_words import cause_words
from runs.fingerprints import first_line
from runs.models import DagRun, TaskInstance
from runs.pages.dag_head import spec_or_none
from runs.pages.last_failures import show_last_failures
from runs.pages.rows import span_of
from runs.pages.worst import known, rank, rank_of_row, state_of, worst
from runs.states import FAILED_STATES

MOST_ROWS = 50
_FAILED = frozenset({*FAILED_STATES, "up_for_retry"})
_COLUMNS = (
    *("id", "dag_run_id", "dag_id", "run_id", "task_id", "map_index", "state", "start_date", "end_date", "duration"),
    *("try_number", "pool", "cause", "cause_detail", "rendered_map_index", "task_display_name"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A task or group in a run. ``rows`` are the worst of its ``total`` instances."""

    run: DagRun
    name: str
    kind: str
    state: str | None
    counts: list[tuple[str | None, int]]
    rows: list[TaskInstance]
    total: int
    start: datetime | None
    end: datetime | None
    seconds: float | None

    @property
    def url(self) -> str:
        """The page of it."""
        place = [self.run.dag_id, self.run.run_id, self.name]
        if self.kind == "group":
            return reverse("run_group", args=place)
        return reverse("ti_mapped" if any(row.map_index >= 0 for row in self.rows) else "log_detail", args=place)

    @property
    def only(self) -> TaskInstance | None:
        """The instance, where there is only one."""
        return self.rows[0] if self.total == 1 else None

    @property
    def error(self) -> str:
        """What the first failed instance says."""
        failed = (row for row in self.rows if row.state in _FAILED and (row.cause or row.cause_detail))
        return next((first_line(row.cause_detail) or cause_words(row.cause) for row in failed), "")


def cell_of(dag: Dag, run_key: str, name: str, index: str = "") -> Cell:
    """Return a cell, of a mapped task's index where one is given. Raises ``Http404`` for a run or a name that is not there."""
    run = DagRun.objects.filter(dag_id=dag.pk, pk=int(run_key)).first() if run_key.isdecimal() and len(run_key) < 19 else None
    if run is None:
        raise Http404(f"DAG {dag.pk} has no such run")
    run.dag = dag
    kind, tasks = _meaning(dag, name)
    instances = TaskInstance.objects.filter(dag_run=run, task_id__in=tasks)
    if index:
        instances = instances.filter(map_index=int(index) if index.isdecimal() and len(index) < 9 else -2)
    states = instances.order_by().values_list("state").annotate(number=Count("id"), first=Min("start_date"), last=Max("end_date"))
    found = list(states)
    counts: Counter[str] = Counter()
    for state, number, _, _ in found:
        counts[known(state)] += number
    if not counts:
        raise Http404(f"Run {run.run_id} of DAG {dag.pk} has no {kind} {name}")
    whole = worst(counts)
    start = min((first for _, _, first, _ in found if first is not None), default=None)
    end = max((last for _, _, _, last in found if last is not None), default=None)
    end, seconds = span_of(run, counts, start, end)
    return Cell(
        run=run,
        name=name,
        kind=kind,
        state=state_of(whole),
        counts=[(state_of(word), counts[word]) for word in sorted(counts, key=rank)],
        rows=_worst_rows(instances),
        total=sum(counts.values()),
        start=start,
        end=end,
        seconds=seconds,
    )


def _meaning(dag: Dag, name: str) -> tuple[str, Sequence[str]]:
    """Return whether a name is a task or a group of the newest version, and of which tasks; unknown names may be old tasks."""
    spec = spec_or_none(dag)
    if spec is None or name in spec.task_by_id():
        return "task", [name]
    tree = GroupTree(spec)
    if name not in tree.groups:
        return "task", [name]
    return "group", tasks_in(tree, name)


def tasks_in(tree: GroupTree, group_id: str) -> list[str]:
    """Return the tasks of a group and of the groups inside it, upstream first."""
    found: list[str] = []
    for name in tree.members(group_id):
        found.extend([name] if name in tree.tasks else tasks_in(tree, name))
    return found


def _worst_rows(instances: QuerySet[TaskInstance]) -> list[TaskInstance]:
    rows = list(instances.only(*_COLUMNS).order_by(rank_of_row(), "task_id", "map_index")[:MOST_ROWS])
    show_last_failures(rows)
    return rows
