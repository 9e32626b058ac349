"""Decides how a scheduler is started by hand."""

from typing import Any

from django.core.management.base import CommandParser

from orchestrator.management.command import AirflowCommand
from orchestrator.management.daemon import add_daemon, begin
from orchestrator.management.local_arguments import add_skip_serve_logs


class Command(AirflowCommand):
    """Runs until SIGTERM or SIGINT."""

    help = "Create runs, decide tasks, hand them to executors and watch them. Any number may run; stop with SIGTERM."
    is_service = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Airflow's flags."""
        add_daemon(parser)
        parser.add_argument("-n", "--num-runs", type=int, default=-1, help="end after so many rounds; -1 means never")
        parser.add_argument("-i", "--only-idle", action="store_true", help="with -n: count only rounds that had nothing to do")
        add_skip_serve_logs(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped."""
        from runs.scheduler.service import SchedulerService
        from vault.startup import check_keys

        begin("scheduler", options)
        check_keys()
        SchedulerService(options["num_runs"], only_idle=options["only_idle"]).run()
