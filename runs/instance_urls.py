"""Decides the paths of the pages of task instances, of mapped tasks and of task groups in a run."""

from django.urls import path

from runs.run_paths import RUN
from runs.views import instance_tabs, log, log_search, run_group, ti_events, ti_head, ti_mapped
from runs.views.ti_values import KEPT, XCOM, deleting, setting

_TASK = RUN + "/tasks/<str:task_id>"
_INDEX = _TASK + "/mapped/<int:map_index>"
# Each with a map index or without: path, view, name.
_PAGES = (
    ("head", ti_head.ti_head, "ti_head"),
    ("log_search", log_search.ti_log_search, "ti_log_search"),
    ("rendered_templates", instance_tabs.ti_rendered, "ti_rendered"),
    ("xcom", instance_tabs.ti_xcom, "ti_xcom"),
    ("xcom/set", setting(XCOM), "ti_xcom_set"),
    ("xcom/delete", deleting(XCOM), "ti_xcom_delete"),
    ("task-state-store", instance_tabs.ti_state_store, "ti_state_store"),
    ("task-state-store/set", setting(KEPT), "ti_state_store_set"),
    ("task-state-store/delete", deleting(KEPT), "ti_state_store_delete"),
    ("asset_events", instance_tabs.ti_asset_events, "ti_asset_events"),
    ("events", ti_events.ti_events, "ti_events"),
    ("code", instance_tabs.ti_code, "ti_code"),
    ("details", instance_tabs.ti_details, "ti_details"),
)
INSTANCES = [
    path(f"{RUN}/tasks/group/<str:group_id>", run_group.run_group, name="run_group"),
    path(_TASK, log.log_detail, name="log_detail"),
    path(_INDEX, log.log_detail, name="mapped_log_detail"),
    path(f"{_TASK}/mapped", ti_mapped.ti_mapped, name="ti_mapped"),
    *(path(f"{place}/{word}", view, name=name) for word, view, name in _PAGES for place in (_TASK, _INDEX)),
]
