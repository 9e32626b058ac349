"""Decides what goes around every page: the time zone that the person chose, and where a dialog leads after its form."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from orchestrator.ui.preferences import preferences_of

# Answers for programs: their times are in UTC, and looking at the session would cost them.
PROGRAMS = ("/api/", "/execution/", "/metrics", "/ui/")


class TimeZoneMiddleware:
    """Makes the zone of the person the current one during a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Choose the zone once the request is known to be for a page."""
        if not request.path_info.startswith(PROGRAMS):
            timezone.activate(zoneinfo.ZoneInfo(preferences_of(request).timezone))


class DialogMiddleware:
    """Tells a script that sent the form of a dialog where to go.

    A script cannot see where a redirect leads without following it, and a page that it follows it to would use up the messages
    that the person is to read.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "POST" and "X-Dialog" in request.headers and response.status_code in (301, 302, 303):
            told = HttpResponse(status=204, headers={"X-Location": response["Location"]})
            told.cookies = response.cookies
            return told
        return response
