"""Decides how Django knows this app: who may do what, and who did what."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, their sessions and tokens, and the audit log."""

    name = "accounts"
    verbose_name = "Accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let managers obey the scope of the request, and keep the four groups in step with their rights."""
        from django.db.models.signals import post_migrate

        from accounts.groups import ensure_groups
        from accounts.reach import limit_managers

        limit_managers()
        post_migrate.connect(ensure_groups, sender=self, dispatch_uid="accounts.groups")
