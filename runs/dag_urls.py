"""Decides the paths of the pages of one DAG."""

from django.urls import path

from runs.views import dag, dag_code, dag_events, dag_log_search, dag_switches, dag_tasks, dag_times

_DAG = "dags/<str:dag_id>"

DAG_PAGES = [
    path(_DAG, dag.dag_detail, name="dag_detail"),
    path(f"{_DAG}/cell", dag.dag_cell, name="dag_cell"),
    path(f"{_DAG}/docs", dag_switches.dag_docs, name="dag_docs"),
    path(f"{_DAG}/facts", dag_switches.dag_facts, name="dag_facts"),
    path(f"{_DAG}/favorite", dag_switches.dag_favorite, name="dag_favorite"),
    path(f"{_DAG}/reparse", dag_switches.dag_reparse, name="dag_reparse"),
    path(f"{_DAG}/tasks", dag_tasks.dag_tasks, name="dag_tasks"),
    path(f"{_DAG}/tasks/<str:task_id>", dag_tasks.dag_task, name="dag_task"),
    path(f"{_DAG}/tasks/group/<str:group_id>", dag_tasks.dag_group, name="dag_group"),
    path(f"{_DAG}/calendar", dag_times.dag_calendar, name="dag_calendar"),
    path(f"{_DAG}/durations", dag_times.dag_durations, name="dag_durations"),
    path(f"{_DAG}/log_search", dag_log_search.dag_log_search, name="dag_log_search"),
    path(f"{_DAG}/events", dag_events.dag_events, name="dag_events"),
    path(f"{_DAG}/code", dag_code.dag_code, name="dag_code"),
    path(f"{_DAG}/versions", dag_code.dag_versions, name="dag_versions"),
    path(f"{_DAG}/details", dag_code.dag_details, name="dag_details"),
    path(f"{_DAG}/compare", dag_code.dag_compare, name="dag_compare"),
]
