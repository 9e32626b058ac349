"""Decides the command ``manage.py api_server``: pages, REST API and Execution API."""

import logging.config
import os
import socket
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from orchestrator.api_apps import ALL_APPS
from orchestrator.config import conf
from orchestrator.management.command import AirflowCommand
from orchestrator.management.daemon import add_daemon, begin
from orchestrator.management.local_arguments import override


class Command(AirflowCommand):
    """Serves until SIGTERM or SIGINT, then finishes the requests under way."""

    help = "Serve the web UI, the REST API and the Execution API."
    is_service = True

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("-H", "--host", default=conf.get("api", "host"), help="address to listen on (%(default)s)")
        add("-p", "--port", type=int, default=conf.get("api", "port"), help="port to listen on (%(default)s)")
        add("-w", "--workers", type=int, default=conf.get("api", "workers"), help="processes (%(default)s)")
        add("-t", "--worker-timeout", type=int, help="seconds without a sign of life after which a process is replaced")
        add("--apps", default=",".join(ALL_APPS), help="core (people), execution (workers), all or both (%(default)s)")
        add("--fd", type=int, help="serve this inherited listening socket instead of --host and --port")
        add("--proxy-headers", action="store_true", help="believe X-Forwarded-* of any proxy")
        add("--ssl-cert", metavar="FILE", help="certificate for HTTPS")
        add("--ssl-key", metavar="FILE", help="key of the certificate")
        add("--ssl-ca-file", metavar="FILE", help="authorities that sign the certificates of clients")
        add("--ssl-cert-reqs", type=int, choices=(0, 1, 2), help="0: clients need no certificate, 1: may have one, 2: need one")
        add(
            "--log-config", metavar="FILE", help="logging configuration: .json, .yaml, or the format of logging.config.fileConfig"
        )
        add_daemon(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        from orchestrator.server import listening_socket, serve

        begin("api-server", options)
        for key in ("worker_timeout", "ssl_cert", "ssl_key", "proxy_headers"):
            override("api", key, options[key])
        if options["proxy_headers"]:
            for name, value in settings.PROXY_SETTINGS.items():
                setattr(settings, name, value)
        if options["log_config"]:
            configure_logging(Path(options["log_config"]))
        apps = served_apps(options["apps"])
        fd = options["fd"]
        listener = socket.socket(fileno=os.dup(fd)) if fd is not None else listening_socket(options["host"], options["port"])
        clients = {"ca_certs": options["ssl_ca_file"], "cert_reqs": options["ssl_cert_reqs"]}
        serve(listener, apps, options["workers"], gunicorn={name: value for name, value in clients.items() if value is not None})


def served_apps(text: str) -> tuple[str, ...]:
    """Return what ``--apps`` names. Raises ``CommandError`` for an unknown name."""
    apps = tuple(name.strip() for name in text.split(",") if name.strip())
    if "all" in apps:
        return ALL_APPS
    if not apps or set(apps) - set(ALL_APPS):
        raise CommandError(f"--apps {text!r} is not valid: choose from {', '.join(ALL_APPS)}, all.")
    return apps


def configure_logging(file: Path) -> None:
    """Set logging up as a file says. Raises ``CommandError`` where it cannot be read or says something impossible."""
    import yaml

    try:
        if file.suffix in (".json", ".yaml", ".yml"):
            logging.config.dictConfig(yaml.safe_load(file.read_text(encoding="utf-8")))  # JSON is YAML
        else:
            logging.config.fileConfig(file, disable_existing_loggers=False)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, yaml.YAMLError) as error:
        raise CommandError(f"--log-config {file} cannot be used: {error}") from error
