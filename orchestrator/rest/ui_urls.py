"""Decides which modules answer under ``/ui``: what Airflow's own pages ask, by the rules of the REST API."""

from dags_app.api import graphs
from orchestrator.rest.routing import url_patterns
from vault.api import hook_meta

MODULES = (graphs, hook_meta)

urlpatterns = url_patterns(module.operations for module in MODULES)
