"""Decides how a triggerer is started by hand."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from orchestrator.management.command import AirflowCommand
from orchestrator.management.daemon import add_daemon, begin
from orchestrator.management.local_arguments import add_skip_serve_logs, override


class Command(AirflowCommand):
    """Runs the waits of deferred tasks until SIGTERM or SIGINT."""

    help = "Run the waits of deferred tasks."
    is_service = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Airflow's flags."""
        add_daemon(parser)
        parser.add_argument("--capacity", type=int, help="most triggers at once; [triggerer] capacity without it")
        parser.add_argument("--queues", default="", help="run only triggers of these queues, separated by commas")
        add_skip_serve_logs(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        from runs.triggerer.service import build_service

        begin("triggerer", options)
        override("triggerer", "capacity", options["capacity"])
        try:
            service = build_service([name.strip() for name in options["queues"].split(",") if name.strip()])
        except ValueError as error:
            raise CommandError(str(error)) from error
        service.run()
