"""Decides how gunicorn serves the application: threads, preloading, sockets, graceful stop."""

import faulthandler
import gc
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from django.core.management.base import CommandError
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.sock import create_sockets  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from orchestrator.api_apps import choose_apps
from orchestrator.config import conf
from orchestrator.database import close_connections_before_fork, use_connection_pool
from orchestrator.kernel.clock import monotonic

WsgiApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]

# Longer than a worker's pause between heartbeats, so that its connection stays open.
KEEPALIVE_SECONDS = 75
GRACEFUL_TIMEOUT_SECONDS = 30
BACKLOG = 1024
WATCHDOG_SECONDS = 2.0  # how often a worker without an arbiter says that it lives


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens on ``host`` and ``port`` (0 takes a free port).

    Raises CommandError with the way out where the port is taken or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"Port {port} on {host} cannot be used: {error.strerror}. Stop the program that uses it, or choose another port "
            "with --port or AIRFLOW__API__PORT."
        ) from error
    listener.listen(BACKLOG)
    return listener


class ServerLogger(Logger):  # type: ignore[misc]
    """Sends gunicorn's records through the program's own logging."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.access_log.propagate = True
        self.error_log.handlers = []
        self.access_log.handlers = []

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        if conf.get("api", "access_log"):
            super().access(resp, req, environ, request_time)


class LoneWorker(ThreadWorker):  # type: ignore[misc]
    """A worker without gunicorn's arbiter: where its loop stands still for too long, it says where and ends itself."""

    _watched_from = float("-inf")

    def notify(self) -> None:
        """Called by the loop about once a second."""
        if monotonic() - self._watched_from < WATCHDOG_SECONDS:
            return
        self._watched_from = monotonic()
        limit = max(self.cfg.timeout, 2 * WATCHDOG_SECONDS) + WATCHDOG_SECONDS
        # Its clock is a thread of its own that needs no interpreter lock.
        faulthandler.dump_traceback_later(limit, exit=True)


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with threads; the application is loaded once and its memory shared by the workers."""

    def __init__(
        self, load_application: Callable[[], WsgiApplication], listener: socket.socket, workers: int, threads: int
    ) -> None:
        self._load_application = load_application
        self._listener = listener
        self._workers = workers
        self._threads = threads
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's settings; see their names in its documentation."""
        settings = {
            "bind": f"fd://{self._listener.fileno()}",
            "workers": self._workers,
            "threads": self._threads,
            "worker_class": "gthread",
            "preload_app": True,
            "timeout": conf.get("api", "worker_timeout"),
            "graceful_timeout": GRACEFUL_TIMEOUT_SECONDS,
            "keepalive": KEEPALIVE_SECONDS,
            "worker_tmp_dir": "/dev/shm",  # noqa: S108
            "control_socket_disable": True,
            "logger_class": ServerLogger,
            "accesslog": "-" if conf.get("api", "access_log") else None,
            "when_ready": share_memory,
            "pre_fork": close_before_fork,
            "certfile": conf.get("api", "ssl_cert"),
            "keyfile": conf.get("api", "ssl_key"),
            "forwarded_allow_ips": "*" if conf.get("api", "proxy_headers") else "127.0.0.1,::1",
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def run_alone(self) -> None:
        """Serve in this process, for a caller that starts it again when it ends; the arbiter would take 10 MB for the same."""
        logger = ServerLogger(self.cfg)
        self.wsgi()
        share_memory(None)
        worker = LoneWorker(1, os.getppid(), create_sockets(self.cfg, logger), self, self.cfg.timeout, self.cfg, logger)
        worker.pid = os.getpid()
        worker.init_process()

    def load(self) -> WsgiApplication:
        """The WSGI application, called once before workers are forked."""
        use_connection_pool()
        return self._load_application()


def serve(
    listener: socket.socket,
    apps: tuple[str, ...],
    workers: int,
    is_kept: bool = False,
    gunicorn: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Serve ``apps`` on a socket that listens until a signal.

    ``is_kept`` says that the caller's parent keeps it running; ``gunicorn`` holds settings of it that no option of ours has.
    """
    choose_apps(apps)
    server = Server(load_django, listener, workers, conf.get("api", "threads"))
    for name, value in gunicorn.items():
        server.cfg.set(name, value)
    address = ":".join(str(part) for part in listener.getsockname()[:2])
    print(f"API server ({', '.join(apps)}) listens on {address}", flush=True)  # noqa: T201
    if is_kept and workers == 1:
        server.run_alone()
    else:
        server.run()


def share_memory(arbiter: Any) -> None:
    """Keep the collector away from what is loaded, so that workers do not copy it by counting."""
    gc.collect()
    gc.freeze()


def close_before_fork(arbiter: Any, worker: Any) -> None:
    """A worker opens its own connections."""
    close_connections_before_fork()


def load_django() -> WsgiApplication:
    """Django's application with all views imported, under the path of ``[api] base_url``."""
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.urls import get_resolver

    for pattern in get_resolver().url_patterns:
        # Reading the attribute imports the views of an included module.
        getattr(pattern, "url_patterns", None)
    prefix = settings.URL_PREFIX
    return WSGIHandler() if prefix == "/" else under_prefix(WSGIHandler(), prefix)


def under_prefix(application: WsgiApplication, prefix: str) -> WsgiApplication:
    """Serve ``application`` below ``prefix`` and, for health checks and workers, without it as well."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == prefix or path.startswith(prefix + "/"):
            environ["SCRIPT_NAME"] = prefix
            environ["PATH_INFO"] = path.removeprefix(prefix) or "/"
        return application(environ, start_response)

    return serve
