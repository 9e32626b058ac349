"""Decides the paths of the pages about DAG files."""

from django.urls import path

from dags_app import views

urlpatterns = [
    path("switch_back", views.switches_back, name="switches_back"),
    path("dags/<str:dag_id>/pause", views.dag_switch, name="dag_pause"),
    path("import_errors", views.import_errors, name="import_errors"),
]
