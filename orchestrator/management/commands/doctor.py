"""Decides the command ``manage.py doctor``: what is wrong with the installation and what to do about it."""

import sys
from typing import Any

from django.core.management.base import CommandParser

from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output


class Command(AirflowCommand):
    """One line per finding; exit code 1 where one of them is ``fail``. Nothing is changed."""

    help = "Check the installation: configuration, keys, database, processes, files, logs, dispatch."

    def add_arguments(self, parser: CommandParser) -> None:
        """Only the form of the output can be chosen."""
        add_output(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Look at everything, then say it."""
        from orchestrator.doctor.findings import Level
        from orchestrator.doctor.round import findings

        found = list(findings())
        if options["output"] != "table":
            self.show([item.document() for item in found], options)
        else:
            width = max(len(item.check) for item in found)
            for item in found:
                self.stdout.write(f"{item.level:<4}  {item.check:<{width}}  {item.text}")
                if item.todo:
                    self.stdout.write(f"      {'':<{width}}  -> {item.todo}")
        if any(item.level is Level.FAIL for item in found):
            sys.exit(1)
