"""Decides what every request carries: an id that the answer repeats, and in the admin the limits that rules set."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts import acting
from accounts.access import access_of
from accounts.reach import close_scope, open_scope
from accounts.roles import Role

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class RequestFactsMiddleware:
    """Begins and ends what is known of a request; nothing of one request is left for the next of the same thread."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        headers = request.headers
        facts = acting.begin(headers.get(acting.ID_HEADER, ""), headers.get(acting.REASON_HEADER, ""))
        scope = open_scope(None)
        try:
            response = self.get_response(request)
            response.headers.setdefault(acting.ID_HEADER, facts.request_id)
            return response
        finally:
            close_scope(scope)
            acting.end()

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Limit the admin to the DAGs of whoever uses it; pages and APIs limit themselves."""
        match = request.resolver_match
        if match is not None and "admin" in match.app_names and request.user.is_authenticated:
            least = Role.VIEWER if request.method in _SAFE else Role.USER
            open_scope(access_of(request.user).scope(least))
