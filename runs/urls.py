"""Decides the paths of the pages about runs; they are those of Airflow's pages, so that links keep working."""

from django.urls import path

from runs.asset_urls import ASSETS
from runs.dag_urls import DAG_PAGES
from runs.instance_urls import INSTANCES
from runs.list_urls import LISTS
from runs.metrics.view import metrics
from runs.run_paths import RUN
from runs.run_tab_urls import RUN_TABS
from runs.views import backfills, clear, graph, live, mark, notes, orders, removals, run, trigger

_TASK = RUN + "/tasks/<str:task_id>"
_INDEX = _TASK + "/mapped/<int:map_index>"
_GROUP = RUN + "/tasks/group/<str:group_id>"
_OF_RUNS = {
    **{"clear": clear.run_clear, "mark": mark.run_mark, "note": notes.run_note, "delete": removals.run_delete},
    **{"stop": orders.run_stop, "hold": orders.run_hold, "release": orders.run_release},
}
_OF_INSTANCES = {
    **{"clear": clear.ti_clear, "mark": mark.ti_mark, "note": notes.ti_note, "delete": removals.ti_delete},
    **{"hold": orders.ti_hold, "release": orders.ti_release, "retry_now": orders.ti_retry_now, "give_up": orders.ti_give_up},
}
# The forms that act: a dialog, or a page of its own. A task instance is named with its map index or without.
_ACTIONS = [
    path("dags/<str:dag_id>/delete", removals.dag_delete, name="dag_delete"),
    *(path(f"{RUN}/{word}", view, name=f"run_{word}") for word, view in _OF_RUNS.items()),
    path(f"{_GROUP}/clear", clear.group_clear, name="group_clear"),
    path(f"{_GROUP}/mark", mark.group_mark, name="group_mark"),
    *(path(f"{place}/{word}", view, name=f"ti_{word}") for word, view in _OF_INSTANCES.items() for place in (_TASK, _INDEX)),
]
_GRAPHS = [
    path("dags/<str:dag_id>/graph", graph.dag_graph, name="dag_graph"),
    path(f"{RUN}/graph", graph.run_graph, name="run_graph"),
]

urlpatterns = [
    *_ACTIONS,
    *RUN_TABS,
    *_GRAPHS,
    *ASSETS,
    *DAG_PAGES,
    *LISTS,
    path("metrics", metrics, name="metrics"),
    path("live", live.live, name="live"),
    path("dags/<str:dag_id>/trigger", trigger.dag_trigger, name="dag_trigger"),
    path("dags/<str:dag_id>/trigger/check", trigger.dag_trigger_check, name="dag_trigger_check"),
    path("dags/<str:dag_id>/trigger/<str:mode>", trigger.dag_trigger),
    path("dags/<str:dag_id>/backfill", backfills.dag_backfill, name="dag_backfill"),
    path("backfills", backfills.backfill_list, name="backfill_list"),
    path("backfills/<int:backfill_id>", backfills.backfill_detail, name="backfill_detail"),
    path("backfills/<int:backfill_id>/cancel", backfills.backfill_cancel, name="backfill_cancel"),
    path("backfills/<int:backfill_id>/pause", backfills.backfill_hold, name="backfill_pause"),
    path("backfills/<int:backfill_id>/unpause", backfills.backfill_release, name="backfill_unpause"),
    path(RUN, run.run_detail, name="run_detail"),
    *INSTANCES,
]
