"""Decides the paths of the tabs of a run beside its overview."""

from django.urls import path

from runs.views import run_events, run_tabs

_RUN = "dags/<str:dag_id>/runs/<str:run_id>"

RUN_TABS = [
    path(f"{_RUN}/details", run_tabs.run_details, name="run_details"),
    path(f"{_RUN}/code", run_tabs.run_code, name="run_code"),
    path(f"{_RUN}/asset_events", run_tabs.run_asset_events, name="run_asset_events"),
    path(f"{_RUN}/events", run_events.run_events, name="run_events"),
]
