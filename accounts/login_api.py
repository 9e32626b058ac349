"""Decides the REST operations that send a browser to the pages where it signs in and out."""

from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from orchestrator.rest.errors import RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params

operations = Operations("Login")


class TemporaryRedirect(HttpResponseRedirect):
    """307, as Airflow answers: the method stays."""

    status_code = 307


@operations.add("GET", "/auth/login", "login", role=None, params=params(Param("next")))
def login(call: Call) -> HttpResponse:
    """Go to the sign-in page, and from there to ``next``, which must be of this server."""
    target = call.query["next"]
    if target and not url_has_allowed_host_and_scheme(target, allowed_hosts={call.request._request.get_host()}):
        raise RestError(400, "Invalid or unsafe next URL")
    return TemporaryRedirect("/auth/login/" + (f"?{urlencode({'next': target})}" if target else ""))


@operations.add("GET", "/auth/logout", "logout")
def logout(call: Call) -> HttpResponse:
    """Go to the page that ends the session."""
    return TemporaryRedirect("/auth/logout/")
