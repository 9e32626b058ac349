"""Decides how bodies are written: compact JSON, instants as in ``schemas.instant``."""

import json
import uuid
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from orchestrator.rest.schemas import instant


def encode(value: Any) -> bytes:
    """Return JSON text; lone surrogates of a DAG author's strings are escaped and not fatal."""
    text = json.dumps(value, separators=(",", ":"), default=_plain, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), default=_plain).encode()


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """Return a JSON answer."""
    return HttpResponse(encode(body), status=status, content_type="application/json", headers=headers)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")
