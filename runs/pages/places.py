"""Decides what the address of a form means: a run, a task, a task group, or an answer that says what is not there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.http import Http404
from django.urls import reverse

from dags_app.models import Dag
from dags_app.selectors import SpecUnreadableError
from orchestrator.sdk.serialization.spec import DagSpec
from runs.clear_scope import ClearScope, Marker
from runs.clear_selection import spec_for_run
from runs.models import DagRun, TaskInstance
from runs.rerun_versions import newest_spec


@dataclass(frozen=True, slots=True)
class Place:
    """What a form is about. ``markers`` None is the whole run."""

    run: DagRun
    spec: DagSpec
    kind: str
    name: str
    markers: tuple[Marker, ...] | None
    map_index: int = -1

    @property
    def label(self) -> str:
        """How people name it: ``load [3]``, ``group extract``, ``run manual__1``."""
        if self.kind == "run":
            return f"run {self.name}"
        index = f" [{self.map_index}]" if self.map_index >= 0 else ""
        return f"task group {self.name}" if self.kind == "group" else f"{self.name}{index}"

    @property
    def path(self) -> str:
        """The page of it, or of its run."""
        run = self.run
        if self.kind != "task":
            return reverse("run_detail", args=[run.dag_id, run.run_id])
        if self.map_index >= 0:
            return reverse("mapped_log_detail", args=[run.dag_id, run.run_id, self.name, self.map_index])
        return reverse("log_detail", args=[run.dag_id, run.run_id, self.name])


def run_or_404(dag_id: str, run_id: str) -> DagRun:
    """Return a run. Raises ``Http404`` with words for people."""
    run = DagRun.objects.filter(dag_id=dag_id, run_id=run_id).first()
    if run is None:
        raise Http404(f"DAG {dag_id} has no run {run_id}")
    return run


def living_dag(dag_id: str) -> Dag:
    """Return a DAG of which something is to run. Raises ``Http404`` where it was deleted or never was."""
    dag = Dag.objects.filter(pk=dag_id).first()
    if dag is None:
        raise Http404(f"There is no DAG {dag_id}, so nothing of it can run. It comes back when its file is read again.")
    return dag


def instance_or_404(run: DagRun, task_id: str, map_index: int | None) -> TaskInstance:
    """Return one task instance; without an index the one of a task that is not mapped."""
    index = -1 if map_index is None else map_index
    found = TaskInstance.objects.select_related("dag_run").filter(dag_run=run, task_id=task_id, map_index=index).first()
    if found is None:
        where = f" with map index {index}" if index >= 0 else ""
        raise Http404(f"Run {run.run_id} of DAG {run.dag_id} has no task instance {task_id}{where}")
    return found


def spec_of_run(run: DagRun) -> DagSpec:
    """Return the DAG by which a run is decided, the newest one where its version is gone."""
    try:
        return spec_for_run(run)
    except SpecUnreadableError:
        return newest_spec(living_dag(run.dag_id))


def run_place(dag_id: str, run_id: str) -> Place:
    """A whole run."""
    living_dag(dag_id)
    run = run_or_404(dag_id, run_id)
    return Place(run, spec_of_run(run), "run", run_id, None)


def task_place(dag_id: str, run_id: str, task_id: str, map_index: int | None) -> Place:
    """A task with all its indexes, or one index of it."""
    living_dag(dag_id)
    run = run_or_404(dag_id, run_id)
    index = -1 if map_index is None else map_index
    rows = TaskInstance.objects.filter(dag_run=run, task_id=task_id)
    if not (rows.filter(map_index=index) if index >= 0 else rows).exists():
        instance_or_404(run, task_id, map_index)
    marker: Marker = (task_id, index) if index >= 0 else task_id
    return Place(run, spec_of_run(run), "task", task_id, (marker,), index)


def group_place(dag_id: str, run_id: str, group_id: str) -> Place:
    """A task group with the groups inside it."""
    living_dag(dag_id)
    run = run_or_404(dag_id, run_id)
    spec = spec_of_run(run)
    members: Collection[str] | None = ClearScope(spec).group_members(group_id)
    if members is None:
        raise Http404(f"Run {run_id} of DAG {dag_id} has no task group {group_id}")
    return Place(run, spec, "group", group_id, tuple(sorted(members)))
