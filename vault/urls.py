"""Decides the paths of the pages about connections and variables."""

from django.urls import path

from vault.views import connections, variables

urlpatterns = [
    path("connections", connections.connection_list, name="connection_list"),
    path("connections/add", connections.connection_add, name="connection_add"),
    path("connections/type", connections.connection_type, name="connection_type"),
    path("connections/delete", connections.connections_delete, name="connections_delete"),
    path("connections/import", connections.connections_load, name="connections_import"),
    path("connections/export", connections.connections_save, name="connections_export"),
    path("connections/defaults", connections.connections_defaults, name="connections_defaults"),
    path("connections/<str:conn_id>/edit", connections.connection_edit, name="connection_edit"),
    path("variables", variables.variable_list, name="variable_list"),
    path("variables/add", variables.variable_add, name="variable_add"),
    path("variables/delete", variables.variables_delete, name="variables_delete"),
    path("variables/import", variables.variables_load, name="variables_import"),
    path("variables/export", variables.variables_save, name="variables_export"),
    path("variables/edit/<path:key>", variables.variable_edit, name="variable_edit"),
]
