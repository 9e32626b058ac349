"""Decides which answers are compressed: pages, scripts and styles; answers of the APIs go as they are, and streams at once."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

KINDS = ("text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml")


class CompressionMiddleware(GZipMiddleware):
    """Django's own compression, which hides the length of pages against BREACH, for what browsers load as a page."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress what is a page or a part of one."""
        if not response.get("Content-Type", "").startswith(KINDS):
            return response
        return super().process_response(request, response)
