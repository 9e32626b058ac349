"""Decides where OpenTelemetry's data goes and whose it is: the standard OTEL_* variables first, then Airflow's options."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from orchestrator.config import conf
from orchestrator.config.option import ConfigurationError

END_SECONDS = 2.0
PACKAGES = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"


def endpoint(section: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the address of the collector for ``metrics`` or ``traces``; None where the exporter reads it from OTEL_* itself.

    Raises ConfigurationError where a protocol other than HTTP is asked for.
    """
    kind = section.upper()
    protocol = environment.get(f"OTEL_EXPORTER_OTLP_{kind}_PROTOCOL") or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in (None, "", "http/protobuf"):
        raise ConfigurationError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}, but only 'http/protobuf' is spoken here: "
            "unset it, and name the collector's HTTP port (4318 by default)."
        )
    if environment.get(f"OTEL_EXPORTER_OTLP_{kind}_ENDPOINT") or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    host = str(conf.get(section, "otel_host"))
    scheme = "https" if conf.get(section, "otel_ssl_active") else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{conf.get(section, 'otel_port')}/v1/{section}"


def service(section: str, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return what the configuration says of the sender; nothing where OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say it."""
    if environment.get("OTEL_SERVICE_NAME") or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        return {}
    return {"service.name": str(conf.get(section, "otel_service"))}


def on_console(section: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether everything is printed as well."""
    return bool(conf.get(section, "otel_debugging_on")) or environment.get(f"OTEL_{section.upper()}_EXPORTER") == "console"


def shut_down(provider: Any) -> None:
    """Let a provider export what is left; where no collector answers, its retries must not hold up the end of the process."""
    thread = threading.Thread(target=provider.shutdown, name="opentelemetry-end", daemon=True)
    thread.start()
    thread.join(END_SECONDS)


def missing(section: str, error: ImportError) -> ConfigurationError:
    """Return the error for packages that are not there."""
    return ConfigurationError(
        f"[{section}] otel_on is set, but a package is missing ({error}): `pip install {PACKAGES}`, or turn it off."
    )
