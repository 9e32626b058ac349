"""Decides what a person changes of a DAG at once: whether it is a favourite, and that its file is read again. And its docs."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.access import access_of
from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import forbidden, page
from dags_app.models import Dag, DagFavorite
from dags_app.services import file_request_reparse
from orchestrator.ui.returning import way_back
from orchestrator.ui.texts import markdown
from runs.pages.dag_facts import with_facts
from runs.pages.dag_head import may, spec_or_none


def dag_or_404(dag_id: str, **more: Combinable) -> Dag:
    """Return a DAG with its newest version, but not the document of it, and ``more`` columns.

    Raises ``Http404`` with words for people.
    """
    return _found(Dag.objects.annotate(**more), dag_id)


def dag_with_head(request: HttpRequest, dag_id: str, **more: Combinable) -> Dag:
    """Return a DAG as ``dag_or_404``, by the same one query with all that the head of its pages tells, and ``more`` columns."""
    return _found(with_facts(Dag.objects.all(), request.user.get_username()).annotate(**more), dag_id)


def _found(rows: QuerySet[Dag], dag_id: str) -> Dag:
    dag = rows.select_related("latest_version").defer("latest_version__document").filter(pk=dag_id).first()
    if dag is None:
        raise Http404(f"There is no DAG {dag_id}")
    return dag


@require_POST
@page()
def dag_favorite(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Make a DAG a favourite of the person, or no longer."""
    dag, name = dag_or_404(dag_id), request.user.get_username()
    with transaction.atomic():
        if request.POST.get("is_favorite") == "true":
            _, is_changed = DagFavorite.objects.get_or_create(dag=dag, user_name=name)
            event = "favorite_dag"
        else:
            is_changed = bool(DagFavorite.objects.filter(dag=dag, user_name=name).delete()[0])
            event = "unfavorite_dag"
        if is_changed:
            audit_write(event, actor=name, dag_id=dag_id)
    return redirect(way_back(request, reverse("dag_detail", args=[dag_id])))


@require_POST
@page(Role.USER)
def dag_reparse(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Have the DAG processor read the file of a DAG again, whether it changed or not."""
    dag = dag_or_404(dag_id)
    others = Dag._base_manager.filter(bundle=dag.bundle_id, relative_fileloc=dag.relative_fileloc)
    if not all(may(access_of(request.user), Role.USER, name) for name in others.values_list("pk", flat=True)):
        return forbidden(request, Role.USER)  # the file has other DAGs, on which the person may not act
    with transaction.atomic():
        asked_at = file_request_reparse(dag.bundle_id, dag.relative_fileloc)
        if asked_at is not None:
            extra = {"bundle_name": dag.bundle_id, "relative_fileloc": dag.relative_fileloc}
            audit_write("reparse_dag_file", actor=request.user.get_username(), dag_id=dag_id, extra=extra)
    if asked_at is None:
        messages.error(request, f"The file {dag.relative_fileloc} was never read, so it cannot be read again.")
    else:
        messages.success(request, f"{dag.relative_fileloc} is read again within seconds.")
    return redirect(way_back(request, reverse("dag_detail", args=[dag_id])))


@require_GET
@page()
def dag_facts(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Give the facts of the head alone: an open page asks for them when a run of the DAG changes."""
    return render(request, "runs/dag_facts.html", {"dag": dag_with_head(request, dag_id)})


@require_GET
@page()
def dag_docs(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show what the author wrote about a DAG."""
    dag = dag_or_404(dag_id)
    spec = spec_or_none(dag)
    text = (spec.doc_md or "") if spec else ""
    return render(request, "runs/dag_docs.html", {"dag": dag, "html": markdown(text) if text else ""})
