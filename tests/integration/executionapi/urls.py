"""Decides that these tests serve the Execution API alone."""

from django.urls import include, path

urlpatterns = [path("execution/", include("executionapi.urls"))]
