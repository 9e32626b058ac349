"""Decides the dialogs that delete a run, a task instance or a whole DAG: each says what goes with it."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from dags_app.models import Dag
from runs import services_dag_delete, services_delete
from runs.models import DagRun, TaskInstance, TaskInstanceHistory, XCom
from runs.pages.places import instance_or_404, run_or_404
from runs.views.clear import form_methods
from runs.views.confirming import Question, asked
from runs.views.sentences import counted


@form_methods
@page(Role.USER)
def run_delete(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Delete a run that does not run."""
    run, actor = run_or_404(dag_id, run_id), request.user.get_username()

    def act() -> None:
        services_delete.run_delete(run)
        audit_write("delete_dag_run", actor=actor, dag_id=dag_id, run_id=run_id, logical_date=run.logical_date)

    instances = TaskInstance.objects.filter(dag_run=run).count()
    values = XCom.objects.filter(dag_run=run).count()
    goes = f"With it go {counted(instances, 'task instance')} and {counted(values, 'XCom')}; logs stay where they are kept."
    kept = "A scheduled date is not run again because its run was deleted." if run.logical_date else ""
    own = reverse("run_detail", args=[dag_id, run_id])
    question = Question(
        f"Delete run {run_id}",
        tuple(filter(None, (goes, kept, "This cannot be undone."))),
        "Delete run",
        f"Run {run_id} is deleted.",
        reverse("dag_detail", args=[dag_id]),
        run,
        is_danger=True,
        gone=own,
    )
    return asked(request, question, act, (services_delete.RunUnfinishedError,))


@form_methods
@page(Role.USER)
def ti_delete(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponse:
    """Delete a task instance with its earlier tries."""
    run, actor = run_or_404(dag_id, run_id), request.user.get_username()
    row = instance_or_404(run, task_id, map_index)

    def act() -> None:
        services_delete.instances_delete([row])
        ids: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": row.map_index}
        audit_write("delete_task_instance", actor=actor, **ids)

    name = task_id if row.map_index < 0 else f"{task_id} [{row.map_index}]"
    place = {"dag_run": run, "task_id": task_id, "map_index": row.map_index}
    tries, values = TaskInstanceHistory.objects.filter(**place).count(), XCom.objects.filter(**place).count()
    goes = f"With it go {counted(tries, 'earlier try', 'earlier tries')} and {counted(values, 'XCom')}."
    own = reverse("log_detail", args=[dag_id, run_id, task_id])
    question = Question(
        f"Delete {name}",
        (goes, "A run that still runs makes it anew; in a finished one it is missing.", "This cannot be undone."),
        "Delete task instance",
        f"{name} is deleted.",
        reverse("run_detail", args=[dag_id, run_id]),
        run,
        is_danger=True,
        gone=own,
    )
    return asked(request, question, act)


@form_methods
@page(Role.USER)
def dag_delete(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Delete a DAG with its history; its name is typed to confirm."""
    dag = get_object_or_404(Dag, pk=dag_id)
    actor = request.user.get_username()

    def act() -> None:
        services_dag_delete.dag_delete(dag_id)
        audit_write("delete_dag", actor=actor, dag_id=dag_id)

    counts = DagRun.objects.filter(dag_id=dag_id).aggregate(runs=Count("pk"))
    goes = f"With it go {counted(counts['runs'], 'run')}, all their task instances and XComs, its versions and its backfills."
    back = f"Its file {dag.relative_fileloc} stays: while it is in the folder, the DAG comes back without its history."
    question = Question(
        f"Delete DAG {dag_id}",
        (goes, back, "This cannot be undone."),
        "Delete DAG",
        f"DAG {dag_id} is deleted.",
        reverse("dag_list"),
        is_danger=True,
        typed=dag_id,
        gone=reverse("dag_detail", args=[dag_id]),
    )
    return asked(request, question, act, (services_dag_delete.DagBusyError,))
