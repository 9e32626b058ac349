"""Decides the paths that belong to no page in particular: preferences and saved views."""

from django.urls import path

from orchestrator.ui import columns, configuration_view, preferences_view, saved_views

urlpatterns = [
    path("configs", configuration_view.configuration, name="configuration"),
    path("settings/preferences", preferences_view.preferences_set, name="preferences_set"),
    path("settings/columns", columns.columns_save, name="columns_save"),
    path("views/form", saved_views.view_form, name="view_form"),
    path("views/save", saved_views.view_save, name="view_save"),
    path("views/<int:view_id>/delete", saved_views.view_delete, name="view_delete"),
]
