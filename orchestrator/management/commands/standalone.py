"""Decides the command ``manage.py standalone``: the whole platform on one machine."""

import gc
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orchestrator.config import conf

# A part that gave up draining still has to end in good order before it is killed.
STOP_MARGIN_SECONDS = 15


class Command(BaseCommand):
    """Migrates, makes users, starts all parts, keeps them running, stops them together."""

    help = "Run everything on this machine: API server, scheduler, DAG processor and triggerer."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=conf.get("api", "host"), help="address of the API server (%(default)s)")
        parser.add_argument("--port", type=int, default=conf.get("api", "port"), help="port of the API server (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        from orchestrator.database import close_connections_before_fork
        from orchestrator.standalone.keeper import Keeper
        from orchestrator.standalone.output import Output
        from orchestrator.standalone.platform import SHARED_MODULES, build_parts
        from orchestrator.standalone.preparation import prepare, run_in_child

        output = Output()
        for sentence in conf.warnings():
            output.line("standalone", f"Warning: {sentence}")
        parts = build_parts(options["host"], options["port"])
        run_in_child(prepare, "Preparing the database")
        for module in SHARED_MODULES:
            try:
                import_module(module)
            except Exception as error:
                # The part that needs it fails by itself and says more; the others run.
                output.line("standalone", f"{module} cannot be imported: {type(error).__name__}: {error}")
        close_connections_before_fork()
        gc.collect()
        gc.freeze()
        output.line("standalone", f"Home: {conf.home}")
        output.line("standalone", f"Open http://localhost:{options['port']}/ and press Ctrl-C to stop.")
        Keeper(parts, output, conf.get("scheduler", "drain_timeout_seconds") + STOP_MARGIN_SECONDS).run()
