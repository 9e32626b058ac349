"""Decides the paths of the pages about runs; they are those of Airflow's pages, so that links keep working."""

from django.urls import path

from runs import views

_RUN = "dags/<str:dag_id>/runs/<str:run_id>"

urlpatterns = [
    path("", views.home, name="home"),
    path("dags", views.dag_list, name="dag_list"),
    path("dags/<str:dag_id>", views.dag_detail, name="dag_detail"),
    path("dags/<str:dag_id>/trigger", views.dag_trigger, name="dag_trigger"),
    path(_RUN, views.run_detail, name="run_detail"),
    path(_RUN + "/tasks/<str:task_id>", views.log_detail, name="log_detail"),
    path(_RUN + "/tasks/<str:task_id>/mapped/<int:map_index>", views.log_detail, name="mapped_log_detail"),
]
