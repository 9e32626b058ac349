"""Decides which view answers under ``/execution/``; paths of operations are matched in ``executionapi.routing``."""

from django.urls import path

from executionapi.views import BatchView, OperationView

urlpatterns = [
    path("batch", BatchView.as_view()),
    path("<path:path>", OperationView.as_view()),
]
