"""Decides where the API describes itself, and what is said of an API that is not there: as in Airflow."""

from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from orchestrator.rest.openapi.views import docs, openapi_json
from orchestrator.rest.routing import unknown_path

urlpatterns = [
    path("openapi.json", openapi_json, name="openapi_json"),
    path("docs", docs, name="api_docs"),
    # Programs that ask for an API that is not there, such as /api/v1, are told so in JSON.
    re_path(r"^api/", csrf_exempt(unknown_path)),
]
