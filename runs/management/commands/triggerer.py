"""Decides the command ``manage.py triggerer``."""

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Runs the waits of deferred tasks until SIGTERM or SIGINT."""

    help = "Run the waits of deferred tasks."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        from runs.triggerer.service import build_service

        build_service().run()
