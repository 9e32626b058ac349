"""Decides the paths of the pages over all DAGs: search, and what else concerns no single one."""

from django.urls import path

from runs.views import dag_list, home, search, timeline

urlpatterns = [
    path("", home.home, name="home"),
    path("dags", dag_list.dag_list, name="dag_list"),
    path("switch_dags", dag_list.dags_switch, name="dags_switch"),
    path("search", search.search, name="search"),
    path("timeline", timeline.timeline, name="timeline"),
]
