"""Decides the paths of the pages over all DAGs: search, and what else concerns no single one."""

from django.urls import path

from runs.views import search

urlpatterns = [
    path("search", search.search, name="search"),
]
