"""Decides the paths of the lists of what ran, and of bulk actions on it."""

from django.urls import path

from runs.views import browse, bulk, events, instance_lists, run_lists

LISTS = [
    path("dag_runs", run_lists.run_list, name="run_list"),
    path("dags/<str:dag_id>/runs", run_lists.dag_runs, name="dag_runs"),
    path("task_instances", instance_lists.task_instance_list, name="task_instance_list"),
    path("bulk", bulk.bulk_list, name="bulk_list"),
    path("bulk/new", bulk.bulk_new, name="bulk_new"),
    path("bulk/<int:bulk_id>", bulk.bulk_detail, name="bulk_detail"),
    path("bulk/<int:bulk_id>/cancel", bulk.bulk_cancel, name="bulk_cancel"),
    path("xcoms", browse.xcom_list, name="xcom_list"),
    path("jobs", browse.job_list, name="job_list"),
    path("deadlines", browse.deadline_list, name="deadline_list"),
    path("dags/<str:dag_id>/backfills", browse.dag_backfills, name="dag_backfills"),
    path("events", events.audit_log, name="audit_log"),
]
