"""Decides what people do with assets on the pages: make an event, start who writes one, empty a queue, forget a value."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from dags_app.models import Dag
from orchestrator.json_given import ValueUnreadableError, conf_of_text
from orchestrator.ui.returning import way_back
from runs.api.asset_events import LONGEST_KEY
from runs.assets.by_hand import NoWriterError, SeveralWritersError, event_make, materialize, queue_empty, queued, writer_of
from runs.models import AssetState
from runs.pages.affected import FormRefusedError
from runs.services import DagUnavailableError, ParamsInvalidError, RunExistsError
from runs.views.assets import asset_or_404
from runs.views.clear import form_methods
from runs.views.confirming import Question, asked

_REFUSALS = (FormRefusedError, ValueUnreadableError, DagUnavailableError, ParamsInvalidError, RunExistsError, ValueError)
EVENT, MATERIALIZE = "event", "materialize"


@form_methods
@page(Role.OP)
def asset_event_create(request: HttpRequest, asset_id: int) -> HttpResponse:
    """Make an event by hand, as if a task had written the asset."""
    return _answer(request, asset_id, EVENT)


@form_methods
@page(Role.OP)
def asset_materialize(request: HttpRequest, asset_id: int) -> HttpResponse:
    """Start a run of the DAG that writes the asset."""
    return _answer(request, asset_id, MATERIALIZE)


def _answer(request: HttpRequest, asset_id: int, kind: str) -> HttpResponse:
    asset, error, dag = asset_or_404(asset_id), "", _writer(asset_id)
    if request.method == "POST":
        try:
            with transaction.atomic():
                target = _event(request, asset) if kind == EVENT else _run(request, asset_id, dag)
            return redirect(target)
        except _REFUSALS as refusal:
            error = str(refusal)
    given = request.POST if request.method == "POST" else request.GET
    back = way_back(request, reverse("asset_detail", args=[asset_id]))
    context = {"asset": asset, "kind": kind, "dag": dag, "error": error, "given": given, "next": back}
    return render(request, "runs/asset_event_form.html", context, status=422 if error else 200)


def _writer(asset_id: int) -> Dag | str:
    """The DAG that writes the asset, or why none is meant."""
    try:
        return writer_of(asset_id)
    except NoWriterError:
        return "No DAG writes this asset, so none can be started to write it."
    except SeveralWritersError:
        return "More than one DAG writes this asset: open the one that you mean and trigger it."


def _event(request: HttpRequest, asset: Any) -> str:
    actor, extra, key = request.user.get_username(), conf_of_text(request.POST.get("extra", "")), _key(request)
    noted = {"asset_id": asset.pk, "partition_key": key, "extra": extra}
    event_make(asset, extra={**extra, "from_ui": True}, partition_key=key, actor=actor, noted=noted)
    messages.success(request, f"An event of {asset.name} is made. What it starts comes within seconds.")
    return reverse("asset_detail", args=[asset.pk])


def _run(request: HttpRequest, asset_id: int, dag: Dag | str) -> str:
    if isinstance(dag, str):
        raise FormRefusedError(dag)
    conf, key, note = conf_of_text(request.POST.get("conf", "")), _key(request), request.POST.get("note", "").strip() or None
    noted = {"conf": conf, "partition_key": key, "note": note}
    actor = request.user.get_username()
    run = materialize(asset_id, dag, actor=actor, noted=noted, logical_date=None, conf=conf, partition_key=key, note=note)
    messages.success(request, f"Run {run.run_id} is queued; it writes the asset.")
    return reverse("run_detail", args=[dag.dag_id, run.run_id])


def _key(request: HttpRequest) -> str | None:
    text = request.POST.get("partition_key", "").strip()
    if len(text) > LONGEST_KEY:
        raise FormRefusedError(f"A partition key has at most {LONGEST_KEY} characters; this one has {len(text)}.")
    return text or None


@form_methods
@page(Role.OP)
def asset_queue_empty(request: HttpRequest, asset_id: int, dag_id: str = "") -> HttpResponse:
    """Take the events of an asset out of the queue of a DAG, or of all."""
    asset = asset_or_404(asset_id)
    chosen: dict[str, Any] = {"asset_id": asset_id, **({"dag_id": dag_id} if dag_id else {})}
    number = queued(**chosen).count()
    whom = f"DAG {dag_id}" if dag_id else "any DAG"
    counted = f"{number} event{'s' if number != 1 else ''} will start no run of {whom}."
    question = Question(
        f"Empty the queue of {asset.name}",
        (
            counted,
            "Later events are not touched. This cannot be undone.",
        ),
        "Empty queue",
        f"The events of {asset.name} are out of the queue.",
        reverse("asset_detail", args=[asset_id]),
        is_danger=True,
    )
    ids = {"dag_id": dag_id} if dag_id else {}

    def empty() -> None:
        if not queue_empty(queued(**chosen), actor=request.user.get_username(), noted=chosen, **ids):
            raise FormRefusedError("Nothing waits there any more: a run has taken it meanwhile.")

    return asked(request, question, empty)


@form_methods
@page(Role.OP)
def asset_value_drop(request: HttpRequest, asset_id: int, key: str) -> HttpResponse:
    """Forget a value that is kept beside an asset."""
    asset = asset_or_404(asset_id)
    rows = AssetState.objects.filter(asset=asset, key=key)
    if request.method != "POST" and not rows.exists():
        raise Http404(f"Nothing is kept under {key} beside asset {asset.name}")
    question = Question(
        f"Forget {key}",
        (f"The value under {key} beside {asset.name} is deleted. Tasks that ask for it find nothing.", "This cannot be undone."),
        "Forget value",
        f"{key} is forgotten.",
        reverse("asset_detail", args=[asset_id]),
        is_danger=True,
    )

    def forget() -> None:
        if rows.delete()[0]:
            noted = {"asset_id": asset_id, "key": key}
            audit_write("delete_asset_state_store", actor=request.user.get_username(), extra=noted)

    return asked(request, question, forget)
