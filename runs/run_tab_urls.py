"""Decides the paths of the tabs of a run beside its overview, and of the search of its logs."""

from django.urls import path

from runs.run_paths import RUN
from runs.views import log_search, run_events, run_tabs

RUN_TABS = [
    path(f"{RUN}/details", run_tabs.run_details, name="run_details"),
    path(f"{RUN}/code", run_tabs.run_code, name="run_code"),
    path(f"{RUN}/asset_events", run_tabs.run_asset_events, name="run_asset_events"),
    path(f"{RUN}/log_search", log_search.run_log_search, name="run_log_search"),
    path(f"{RUN}/events", run_events.run_events, name="run_events"),
]
