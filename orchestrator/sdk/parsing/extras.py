"""Decides what a parse process does without a file: describe the plugins, or call listeners."""

from __future__ import annotations

import time
import traceback
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from orchestrator.sdk.parsing.protocol import ParseRequest, ParseResponse


def serve_extra(request: ParseRequest, response: ParseResponse) -> ParseResponse:
    """Fill the response of a request of kind ``plugins`` or ``events``; an error becomes its ``import_error``."""
    started = time.monotonic()
    try:
        if request.kind == "plugins":
            from orchestrator.sdk.plugins.describing import describe
            from orchestrator.sdk.plugins.loading import plugins

            response.plugins = describe(plugins())
        else:
            _tell(request.events)
    except Exception:
        response.import_error = traceback.format_exc()
    response.seconds = round(time.monotonic() - started, 6)
    return response


def _tell(events: list[dict[str, Any]]) -> None:
    from orchestrator.sdk.listeners.hooks import call

    for event in events:
        call(event["hook"], **{name: told(value) for name, value in event["arguments"].items()})


def told(value: Any, name: str = "") -> Any:
    """Return JSON as what a listener reads: objects have attributes, instants are ``datetime``."""
    if isinstance(value, dict):
        if set(value) == {"__instant__"}:
            return datetime.fromisoformat(value["__instant__"])
        if set(value) == {"__dict__"}:
            return value["__dict__"]
        return SimpleNamespace(**{key: told(item) for key, item in value.items()})
    if isinstance(value, list):
        return [told(item) for item in value]
    return value
