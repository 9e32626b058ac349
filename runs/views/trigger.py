"""Decides the form that starts a run, its check while one writes, and the one click that starts a run without a form."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from dags_app.models import Dag
from dags_app.pausing import dag_pause
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.sdk.serialization.spec import DagSpec
from orchestrator.ui.returning import way_back
from runs.assets.partitioned import PartitionKeyError
from runs.models import DagRun
from runs.pages.places import living_dag
from runs.pages.trigger_form import (
    Times,
    TriggerForm,
    first_form,
    is_partitioned,
    read_conf,
    recent_confs,
    sent_form,
    times_of,
)
from runs.services import DagUnavailableError, ParamsInvalidError, RunExistsError, run_trigger
from runs.states import DagRunType
from runs.views.clear import form_methods


@form_methods
@page(Role.USER)
def dag_trigger(request: HttpRequest, dag_id: str, mode: str = "single") -> HttpResponse:
    """Show the form; start the run that it describes; without a form start one with what the DAG says."""
    if mode == "backfill":
        return redirect("dag_backfill", dag_id=dag_id)
    dag = living_dag(dag_id)
    spec = spec_or_404(dag)
    if request.method != "POST":
        return _show(request, dag, spec, first_form(spec, request.GET))
    if "asked" not in request.POST:
        return _one_click(request, dag, spec)
    form = sent_form(spec, request.POST)
    times = times_of(form)
    run = None if form.is_wrong else _started(request, dag, form, times)
    if run is None:
        return _show(request, dag, spec, form, status=422)
    return redirect("run_detail", dag_id=dag_id, run_id=run.run_id)


@require_POST
@page(Role.USER)
def dag_trigger_check(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Say what the fields, or the JSON beside them, mean and what is wrong; the form asks this while one writes."""
    spec = spec_or_404(living_dag(dag_id))
    form = TriggerForm(spec.params, {}, request.POST.get("conf", ""), {})
    read_conf(form, request.POST)
    answer: dict[str, Any] = {"conf": form.conf_text, "error": form.problems.get("conf", ""), "problems": form.param_problems}
    if request.POST.get("source") == "json" and not form.problems:
        answer["fields"] = render_to_string("runs/_param_fields.html", {"form": form}, request)
    return JsonResponse(answer)


def spec_or_404(dag: Dag) -> DagSpec:
    """Return the newest version of a DAG. Raises ``Http404``."""
    if dag.latest_version_id is None:
        raise Http404(f"DAG {dag.dag_id} has no version yet: wait for the DAG processor to read its file")
    try:
        return spec_of(dag.latest_version_id)
    except SpecUnreadableError as error:
        raise Http404(str(error)) from error


def _one_click(request: HttpRequest, dag: Dag, spec: DagSpec) -> HttpResponse:
    form = TriggerForm(spec.params, {}, "", {})
    run = _started(request, dag, form, Times(None, None, None))
    if run is not None:
        return redirect("run_detail", dag_id=dag.dag_id, run_id=run.run_id)
    for problem in (*form.problems.values(), *form.param_problems.values()):
        messages.error(request, f"{dag.dag_id} was not started: {problem}")
    return redirect("dag_trigger", dag_id=dag.dag_id)


def _started(request: HttpRequest, dag: Dag, form: TriggerForm, times: Times) -> DagRun | None:
    """Start the run and unpause the DAG where that is asked; None where it cannot be, which the form then says."""
    actor, texts = request.user.get_username(), form.texts
    asked: dict[str, Any] = {
        "logical_date": times.logical_date,
        "run_after": times.run_after,
        "data_interval": times.data_interval,
        "conf": form.conf,
        "note": texts.get("note") or None,
        "partition_key": texts.get("partition_key") or None,
        "run_id": texts.get("run_id") or None,
    }
    try:
        with transaction.atomic():
            run = run_trigger(dag=dag, triggered_by="ui", user_name=actor, **asked)
            given = {name: value for name, value in asked.items() if value}
            ids = {"dag_id": dag.dag_id, "run_id": run.run_id, "logical_date": run.logical_date}
            audit_write("trigger_dag_run", actor=actor, extra=given, **ids)
            if texts and form.unpause and dag.is_paused:
                dag_pause(dag.dag_id, False, actor=actor)
    except RunExistsError as error:
        form.problems["run_id" if texts.get("run_id") else "logical_date"] = str(error)
    except PartitionKeyError as error:
        form.problems["partition_key"] = str(error)
    except (DagUnavailableError, ParamsInvalidError, ValueError) as error:
        form.problems["all"] = str(error).split("\n", 1)[0]
    else:
        _say_if_paused(request, dag, form)
        return run
    return None


def _say_if_paused(request: HttpRequest, dag: Dag, form: TriggerForm) -> None:
    if dag.is_paused and not (form.texts and form.unpause):
        messages.warning(request, f"{dag.dag_id} is paused: its runs wait until it is switched on.")


def _show(request: HttpRequest, dag: Dag, spec: DagSpec, form: TriggerForm, status: int = 200) -> HttpResponse:
    allowed = spec.allowed_run_types
    context = {
        "dag": dag,
        "form": form,
        "recent": recent_confs(dag.dag_id),
        "is_partitioned": is_partitioned(spec),
        "is_closed": allowed is not None and DagRunType.MANUAL not in allowed,
        "allowed": ", ".join(allowed or ()),
        "next": way_back(request, reverse("dag_detail", args=[dag.dag_id])),
    }
    return render(request, "runs/trigger.html", context, status=status)
