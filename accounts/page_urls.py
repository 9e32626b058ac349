"""Decides the paths of the pages about oneself."""

from django.urls import path

from accounts import settings_views

urlpatterns = [
    path("settings", settings_views.settings, name="settings"),
    path("settings/tokens", settings_views.token_add, name="token_add"),
    path("settings/tokens/<int:token_id>/revoke", settings_views.token_end, name="token_end"),
]
