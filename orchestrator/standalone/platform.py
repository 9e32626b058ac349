"""Decides which parts standalone runs and how each is started."""

import os
import socket
from collections.abc import Callable

from django.core.management import call_command

from orchestrator.config import conf
from orchestrator.config.option import environment_name
from orchestrator.server import listening_socket
from orchestrator.standalone.part import Part

EXECUTION_URL = ("core", "execution_api_server_url")
# What every part needs is imported before the fork, so that its memory is shared.
SHARED_MODULES = (
    "gunicorn.arbiter",
    "gunicorn.workers.gthread",
    "orchestrator.urls",
    "runs.scheduler.service",
    "runs.executors.local",
    "runs.triggerer.service",
    "dags_app.processor.service",
    "django.db.backends.utils",
    "orchestrator.management.commands.api_server",
)


def build_parts(host: str, port: int) -> list[Part]:
    """All parts with their sockets open, so that a taken port is an error before anything starts and a restart loses no call.

    Worker traffic gets its own server on a free loopback port, unless ``[core] execution_api_server_url`` says where it is.
    """
    listener = listening_socket(host, port)
    parts = [Part("api_server", _server(listener, "core,execution"), is_server=True)]
    if not conf.get(*EXECUTION_URL):
        worker_listener = listening_socket("127.0.0.1", 0)
        os.environ[environment_name(*EXECUTION_URL)] = f"http://127.0.0.1:{worker_listener.getsockname()[1]}/execution/"
        conf.reload()
        parts.append(Part("execution_api", _server(worker_listener, "execution"), is_server=True))
    return parts + [Part(name, _command(name)) for name in ("scheduler", "dag_processor", "triggerer")]


def _server(listener: socket.socket, apps: str) -> Callable[[], object]:
    return lambda: call_command("api_server", fd=listener.fileno(), apps=apps)


def _command(name: str) -> Callable[[], object]:
    return lambda: call_command(name)
