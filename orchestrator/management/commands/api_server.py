"""Decides the command ``manage.py api_server``: pages, REST API and Execution API."""

import os
import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestrator.api_apps import ALL_APPS, choose_apps
from orchestrator.config import conf


class Command(BaseCommand):
    """Serves until SIGTERM or SIGINT, then finishes the requests under way."""

    help = "Serve the web UI, the REST API and the Execution API."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=conf.get("api", "host"), help="address to listen on (%(default)s)")
        parser.add_argument("--port", type=int, default=conf.get("api", "port"), help="port to listen on (%(default)s)")
        parser.add_argument("--workers", type=int, default=conf.get("api", "workers"), help="processes (%(default)s)")
        parser.add_argument("--apps", default=",".join(ALL_APPS), help="core (people), execution (workers) or both (%(default)s)")
        parser.add_argument("--fd", type=int, help="serve this inherited listening socket instead of --host and --port")

    def handle(self, *args: Any, **options: Any) -> None:
        from orchestrator.server import Server, listening_socket, load_django

        apps = tuple(name.strip() for name in options["apps"].split(",") if name.strip())
        if not apps or set(apps) - set(ALL_APPS):
            raise CommandError(f"--apps {options['apps']!r} is not valid: choose from {', '.join(ALL_APPS)}.")
        choose_apps(apps)
        fd = options["fd"]
        listener = socket.socket(fileno=os.dup(fd)) if fd is not None else listening_socket(options["host"], options["port"])
        address = ":".join(str(part) for part in listener.getsockname()[:2])
        self.stdout.write(f"API server ({', '.join(apps)}) listens on {address}")
        self.stdout.flush()
        Server(load_django, listener, options["workers"], conf.get("api", "threads")).run()
