"""Decides the paths of the pages of task instances, of mapped tasks and of task groups in a run."""

from django.urls import path

from runs.views import log, ti_head, ti_mapped

_TASK = "dags/<str:dag_id>/runs/<str:run_id>/tasks/<str:task_id>"
_INDEX = _TASK + "/mapped/<int:map_index>"
# Each with a map index or without.
_PAGES = {
    "head": (ti_head.ti_head, "ti_head"),
}
INSTANCES = [
    path(_TASK, log.log_detail, name="log_detail"),
    path(_INDEX, log.log_detail, name="mapped_log_detail"),
    path(f"{_TASK}/mapped", ti_mapped.ti_mapped, name="ti_mapped"),
    *(path(f"{place}/{word}", view, name=name) for word, (view, name) in _PAGES.items() for place in (_TASK, _INDEX)),
]
