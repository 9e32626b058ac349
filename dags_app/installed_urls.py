"""Decides the paths of the pages about what is installed."""

from django.urls import path

from dags_app import installed_views

urlpatterns = [
    path("providers", installed_views.provider_list, name="provider_list"),
    path("plugins", installed_views.plugin_list, name="plugin_list"),
]
