"""Decides which parts standalone runs and how each is started."""

import os
import socket
from collections.abc import Callable

from orchestrator.api_apps import ALL_APPS
from orchestrator.config import conf
from orchestrator.config.option import environment_name
from orchestrator.server import listening_socket, serve
from orchestrator.standalone.part import Part
from vault.startup import check_keys

EXECUTION_URL = ("core", "execution_api_server_url")
# What every part needs is imported before the fork, so that its memory is shared.
SHARED_MODULES = (
    "orchestrator.urls",
    "runs.scheduler.service",
    "runs.executors.local",
    "runs.triggerer.service",
    "dags_app.processor.service",
    "django.db.models.sql.compiler",
    "encodings.ascii",
    "jwt",
)


def build_parts(host: str, port: int) -> list[Part]:
    """All parts with their sockets open, so that a taken port is an error before anything starts and a restart loses no call.

    Worker traffic gets its own server on a free loopback port, unless ``[core] execution_api_server_url`` says where it is.
    """
    listener = listening_socket(host, port)
    parts = [Part("api_server", _server(listener, ALL_APPS), is_server=True)]
    if not conf.get(*EXECUTION_URL):
        worker_listener = listening_socket("127.0.0.1", 0)
        os.environ[environment_name(*EXECUTION_URL)] = f"http://127.0.0.1:{worker_listener.getsockname()[1]}/execution/"
        conf.reload()
        parts.append(Part("execution_api", _server(worker_listener, ("execution",)), is_server=True))
    return [*parts, *(Part(name, run) for name, run in SERVICES.items())]


def _server(listener: socket.socket, apps: tuple[str, ...]) -> Callable[[], object]:
    return lambda: serve(listener, apps, conf.get("api", "workers"), is_kept=True)


def _scheduler() -> None:
    from runs.scheduler.service import SchedulerService

    check_keys()
    SchedulerService().run()


def _dag_processor() -> None:
    from dags_app.processor.service import DagProcessorService

    DagProcessorService().run()


def _triggerer() -> None:
    from runs.triggerer.service import build_service

    build_service().run()


# As their commands run them without options; reading a command line would take 3 MB of each.
SERVICES: dict[str, Callable[[], object]] = {"scheduler": _scheduler, "dag_processor": _dag_processor, "triggerer": _triggerer}
