"""Decides which modules make up the REST API under ``/api/v2``."""

from dags_app.api import dags, import_errors, versions
from orchestrator.rest import monitor
from orchestrator.rest.routing import url_patterns
from runs.api import dag_runs, logs, pools, task_instances, tries, trigger, xcoms

MODULES = (monitor, dags, versions, import_errors, dag_runs, trigger, task_instances, tries, logs, xcoms, pools)

urlpatterns = url_patterns(module.operations for module in MODULES)
