"""Decides the command ``version``, for callers inside Django; ``orchestrator.command`` answers it without."""

from typing import Any

from orchestrator.management.command import AirflowCommand
from orchestrator.version import VERSION


class Command(AirflowCommand):
    """The version of this platform; ``info`` has that of the interfaces."""

    help = "The version of this platform."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        self.stdout.write(VERSION)
