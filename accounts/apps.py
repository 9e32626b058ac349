"""Decides how Django knows this app: who may do what, and who did what."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, their sessions and tokens, and the audit log."""

    name = "accounts"
    verbose_name = "Accounts"
    default_auto_field = "django.db.models.BigAutoField"
