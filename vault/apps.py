"""Decides how Django knows this app: connections and variables."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Connections, variables and the keys that encrypt them."""

    name = "vault"
    verbose_name = "Vault"
    default_auto_field = "django.db.models.BigAutoField"
