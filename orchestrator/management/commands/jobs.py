"""Decides the command ``manage.py jobs``: are parts of the platform alive, with Airflow's flags and sentences."""

import socket
from typing import Any

from django.core.management.base import CommandError, CommandParser

from orchestrator.management.command import AirflowCommand

KINDS = {"SchedulerJob": "scheduler", "TriggererJob": "triggerer", "DagProcessorJob": "dag_processor"}


class Command(AirflowCommand):
    """``manage.py jobs check``; exit code 1 where none is alive, so that a probe can ask."""

    help = "Check that parts of the platform are alive."

    def add_arguments(self, parser: CommandParser) -> None:
        check = parser.add_subparsers(dest="action", required=True).add_parser("check", help="is a part alive")
        check.add_argument("--job-type", choices=sorted(KINDS), help="only parts of this kind")
        check.add_argument("--hostname", help="only parts on this machine")
        check.add_argument("--local", action="store_true", help="only parts on this very machine")
        check.add_argument("--limit", type=int, default=1, help="how many of the newest are looked at; 0 means all")
        check.add_argument("--allow-multiple", action="store_true", help="several may be alive")

    def handle(self, *args: Any, **options: Any) -> None:
        from orchestrator.kernel.clock import utcnow
        from orchestrator.processes.selectors import processes_alive

        if options["allow_multiple"] and options["limit"] == 1:
            raise CommandError("To use option --allow-multiple, you must set the limit to a value greater than 1.")
        if options["hostname"] and options["local"]:
            raise CommandError("You can't use --hostname and --local at the same time")
        kinds = [KINDS[options["job_type"]]] if options["job_type"] else list(KINDS.values())
        host = socket.gethostname() if options["local"] else options["hostname"]
        found = [process for kind in kinds for process in processes_alive(kind, utcnow()) if host in (None, process.hostname)]
        found = sorted(found, key=lambda process: process.heartbeat_at, reverse=True)
        found = found[: options["limit"]] if options["limit"] else found
        if not found:
            raise CommandError("No alive jobs found.")
        if len(found) > 1 and not options["allow_multiple"]:
            raise CommandError(f"Found {len(found)} alive jobs. Expected only one.")
        self.stdout.write("Found one alive job." if len(found) == 1 else f"Found {len(found)} alive jobs.")
