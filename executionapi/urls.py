"""Decides which view answers under ``/execution/``; paths of operations are matched in ``executionapi.routing``."""

from django.urls import path, re_path

from executionapi.views import BatchView, OperationView, openapi_json

urlpatterns = [
    path("batch", BatchView.as_view()),
    path("openapi.json", openapi_json),
    # A path may hold line breaks too, as keys do.
    re_path(r"^(?P<path>[\s\S]*)\Z", OperationView.as_view()),
]
