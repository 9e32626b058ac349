"""Decides the tabs beside the log of a task instance: rendered fields, values, asset events, code and details."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest

from accounts.access import Verdict, access_of
from accounts.roles import Role
from runs.models import AttemptFields
from runs.pages.ti_details import details_of
from runs.pages.ti_events import asset_events_of
from runs.pages.ti_source import source_of
from runs.pages.ti_values import kept_of, rendered_of, xcoms_of
from runs.views.instance_page import instance_page


@instance_page("runs/ti_rendered.html")
def ti_rendered(request: HttpRequest, ti: AttemptFields, tries: list[AttemptFields]) -> dict[str, Any]:
    """Show the template fields as the try got them."""
    return {"values": rendered_of(ti)}


@instance_page("runs/ti_values.html")
def ti_xcom(request: HttpRequest, ti: AttemptFields, tries: list[AttemptFields]) -> dict[str, Any]:
    """Show the values that the task passes on; ``?key=`` shows one whole."""
    key = request.GET.get("key")
    values = xcoms_of(ti, key if key is None else key.replace("\0", ""))
    if key is not None and not values:
        raise Http404(f"Task {ti.task_id} has no XCom {key} in run {ti.run_id}")
    return {"values": values, "kind": "xcom", "key": key, "may_act": _may_act(request, ti)}


@instance_page("runs/ti_values.html")
def ti_state_store(request: HttpRequest, ti: AttemptFields, tries: list[AttemptFields]) -> dict[str, Any]:
    """Show the values that the task keeps over its tries."""
    return {"values": kept_of(ti), "kind": "state_store", "key": None, "may_act": _may_act(request, ti)}


@instance_page("runs/ti_asset_events.html")
def ti_asset_events(request: HttpRequest, ti: AttemptFields, tries: list[AttemptFields]) -> dict[str, Any]:
    """Show the events of assets that the task made."""
    return {"events": asset_events_of(ti)}


@instance_page("runs/ti_code.html")
def ti_code(request: HttpRequest, ti: AttemptFields, tries: list[AttemptFields]) -> dict[str, Any]:
    """Show the code of the version that the try used."""
    return {"source": source_of(ti)}


@instance_page("runs/ti_details.html")
def ti_details(request: HttpRequest, ti: AttemptFields, tries: list[AttemptFields]) -> dict[str, Any]:
    """Show all that is known of the tries, and in full why the task waits."""
    return {"details": details_of(ti, tries)}


def _may_act(request: HttpRequest, ti: AttemptFields) -> bool:
    return access_of(request.user).on_dag(Role.USER, ti.dag_id) is Verdict.GRANTED
