"""Decides the pages about the tasks of a DAG: their list, and one task or group over the runs."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from dags_app.graph.tree import GroupTree
from orchestrator.ui.preferences import RUNS_SHOWN, preferences_of
from orchestrator.ui.texts import markdown
from runs.models import TaskInstance
from runs.pages.cell import tasks_in
from runs.pages.dag_head import spec_or_none
from runs.pages.task_history import chart_over_runs, history_of, newest_runs
from runs.pages.task_rows import fits, task_rows
from runs.views.dag_switches import dag_with_head


@require_GET
@page()
def dag_tasks(request: HttpRequest, dag_id: str) -> HttpResponse:
    """List the tasks of a DAG with their last states."""
    dag = dag_with_head(request, dag_id)
    search = request.GET.get("q", "").strip()
    rows = task_rows(dag_id, spec_or_none(dag))
    shown = [row for row in rows if not search or fits(row, search)]
    return render(request, "runs/dag_tasks.html", {"dag": dag, "rows": shown, "total": len(rows), "search": search})


@require_GET
@page()
def dag_task(request: HttpRequest, dag_id: str, task_id: str) -> HttpResponse:
    """Show a task over the runs of its DAG, also one that the newest version no longer has."""
    dag = dag_with_head(request, dag_id)
    spec = spec_or_none(dag)
    task = spec.task_by_id().get(task_id) if spec else None
    context = _over_runs(request, dag_id, task_id, [task_id])
    if task is None and not context["history"] and not TaskInstance.objects.filter(dag_id=dag_id, task_id=task_id).exists():
        raise Http404(f"DAG {dag_id} has no task {task_id}, and none of its runs had one")
    docs = markdown(task.doc_md) if task and task.doc_md else ""
    return render(request, "runs/dag_task.html", context | {"dag": dag, "task": task, "task_id": task_id, "docs": docs})


@require_GET
@page()
def dag_group(request: HttpRequest, dag_id: str, group_id: str) -> HttpResponse:
    """Show a task group over the runs, and its tasks."""
    dag = dag_with_head(request, dag_id)
    spec = spec_or_none(dag)
    tree = GroupTree(spec) if spec else None
    group = tree.groups.get(group_id) if tree else None
    if tree is None or group is None:
        raise Http404(f"The newest version of DAG {dag_id} has no task group {group_id}")
    tasks = tasks_in(tree, group_id)
    context = _over_runs(request, dag_id, group_id, tasks, is_group=True)
    docs = markdown(group.doc_md or group.tooltip) if group.doc_md or group.tooltip else ""
    more = {"dag": dag, "group": group, "rows": task_rows(dag_id, spec, tasks), "docs": docs}
    return render(request, "runs/dag_group.html", context | more)


def _over_runs(request: HttpRequest, dag_id: str, name: str, tasks: list[str], is_group: bool = False) -> dict[str, Any]:
    text = request.GET.get("runs", "")
    number = next((choice for choice in RUNS_SHOWN if str(choice) == text), preferences_of(request).runs)
    history = history_of(dag_id, name, tasks, newest_runs(dag_id, number), is_group)
    return {"history": history, "chart": chart_over_runs(history), "run_numbers": RUNS_SHOWN, "number": number}
