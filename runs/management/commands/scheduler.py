"""Decides how a scheduler is started by hand."""

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """``manage.py scheduler``."""

    help = "Create runs, decide tasks, hand them to executors and watch them. Any number may run; stop with SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped."""
        from runs.scheduler.service import SchedulerService

        SchedulerService().run()
