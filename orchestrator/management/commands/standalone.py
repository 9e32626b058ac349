"""Decides the command ``manage.py standalone``: the whole platform on one machine."""

import gc
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from orchestrator.config import conf
from orchestrator.management.command import AirflowCommand
from orchestrator.standalone.log_file import RotatingFile

# A part that gave up draining still has to end in good order before it is killed.
STOP_MARGIN_SECONDS = 15


class Command(AirflowCommand):
    """Migrates, makes users, starts all parts, keeps them running, stops them together."""

    is_service = True
    help = "Run everything on this machine: API server, scheduler, DAG processor and triggerer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=conf.get("api", "host"), help="address of the API server (%(default)s)")
        parser.add_argument("--port", type=int, default=conf.get("api", "port"), help="port of the API server (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        from orchestrator.database import close_connections_before_fork
        from orchestrator.standalone.keeper import Keeper
        from orchestrator.standalone.output import Output
        from orchestrator.standalone.platform import SHARED_MODULES, build_parts
        from orchestrator.standalone.preparation import done_in_child, prepare

        output = Output(file=_log_file())
        for sentence in conf.warnings():
            output.line("standalone", f"Warning: {sentence}")
        parts = build_parts(options["host"], options["port"])
        # Beside each other, because a first start is what people wait for.
        with done_in_child(prepare, "Preparing the database"):
            for problem in _import_shared(SHARED_MODULES):
                output.line("standalone", problem)
        close_connections_before_fork()
        gc.collect()
        gc.freeze()
        output.line("standalone", f"Home: {conf.home}")
        output.line("standalone", f"Open http://localhost:{options['port']}/ and press Ctrl-C to stop.")
        Keeper(parts, output, conf.get("scheduler", "drain_timeout_seconds") + STOP_MARGIN_SECONDS).run()


def _import_shared(modules: Sequence[str]) -> Iterator[str]:
    """Import what the parts share; yields a sentence for each that fails: the part that needs it fails too and says more."""
    for module in modules:
        try:
            import_module(module)
        except Exception as error:
            yield f"{module} cannot be imported: {type(error).__name__}: {error}"


def _log_file() -> RotatingFile | None:
    """The file that keeps the stream, None where it is switched off."""
    size = int(conf.get("logging", "standalone_log_bytes"))
    path = Path(conf.get("logging", "base_log_folder")) / "standalone" / "standalone.log"
    return RotatingFile(path, size, int(conf.get("logging", "standalone_log_files"))) if size else None
