"""Decides which of two forms a client asks for by its ``Accept`` header."""

from rest_framework.request import Request

from orchestrator.rest.errors import RestError


def wants_text(request: Request) -> bool:
    """Return whether the client takes plain text and not JSON. Raises ``RestError`` 406 where it takes neither."""
    accepted = [item.partition(";")[0].strip() for item in request.headers.get("Accept", "*/*").split(",")]
    for item in accepted:
        if item in ("*/*", "application/json", "application/*"):
            return False
        if item in ("text/plain", "text/*"):
            return True
    raise RestError(406, f"Only application/json or text/plain is supported, not {', '.join(accepted)}")
