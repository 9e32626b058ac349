"""Decides the paths of the pages on which people answer questions and administer what runs share."""

from django.urls import path

from runs.run_paths import RUN
from runs.views import connection_test, pools, required_actions

_TASK = RUN + "/tasks/<str:task_id>"

urlpatterns = [
    path("connections/<str:conn_id>/test", connection_test.connection_test, name="connection_test"),
    path("pools", pools.pool_list, name="pool_list"),
    path("pools/add", pools.pool_add, name="pool_add"),
    path("pools/delete", pools.pools_delete, name="pools_delete"),
    path("pools/edit/<path:name>", pools.pool_edit, name="pool_edit"),
    path("required_actions", required_actions.required_actions, name="required_actions"),
    path("required_actions/<str:ti_id>", required_actions.required_action_answer, name="required_action_answer"),
    path("dags/<str:dag_id>/required_actions", required_actions.dag_required_actions, name="dag_required_actions"),
    path(f"{RUN}/required_actions", required_actions.run_required_actions, name="run_required_actions"),
    path(f"{_TASK}/required_actions", required_actions.ti_required_actions, name="ti_required_actions"),
    path(f"{_TASK}/mapped/<int:map_index>/required_actions", required_actions.ti_required_actions, name="ti_required_actions"),
]
