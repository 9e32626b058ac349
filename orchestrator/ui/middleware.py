"""Decides what goes around every page: what no page takes, the zone and the numbers of the person, where a dialog leads to."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.utils import timezone

from accounts.along import bringing
from orchestrator.ui.layout import is_whole_page
from orchestrator.ui.navigation import numbers_along
from orchestrator.ui.preferences import preferences_of

# Answers for programs: their times are in UTC, and looking at the session would cost them.
PROGRAMS = ("/api/", "/execution/", "/metrics", "/ui/")
_WITHOUT_SIDEBAR = (*PROGRAMS, "/admin/")


class NulMiddleware:
    """Keeps NUL from pages: no database keeps it, so nothing has such a name and no field may hold it.

    The answers for programs, and the tokens, refuse it in words of their own and read their bodies themselves.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Look at the address and the fields once the request is known to be for a page."""
        if request.path_info.startswith((*PROGRAMS, "/auth/token")):
            return None
        if "\x00" in request.path_info:
            raise Http404("No name has the character NUL in it")
        if _has_nul(request.GET) or _has_nul(request.POST):
            return HttpResponseBadRequest("A field holds the character NUL, which cannot be kept. Take it out.\n", "text/plain")
        return None


def _has_nul(data: QueryDict) -> bool:
    return any("\x00" in text for name, values in data.lists() for text in (name, *values))


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


class SidebarMiddleware:
    """Lets the query that reads the person bring the numbers of the sidebar, where the answer may be a page that has one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "GET" or not is_whole_page(request) or request.path_info.startswith(_WITHOUT_SIDEBAR):
            return self.get_response(request)
        with bringing(numbers_along):
            return self.get_response(request)


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
