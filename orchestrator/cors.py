"""Decides which origins' pages may call the API from a browser: those of ``[api] access_control_allow_*``, as in Airflow."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from orchestrator.config import conf

# What programs read; pages of ours are for our own origin.
PATHS = ("/api/", "/auth/token", "/ui/")
MAX_AGE_SECONDS = 600
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_ALWAYS_ALLOWED = frozenset({"Accept", "Accept-Language", "Content-Language", "Content-Type"})


class CorsMiddleware:
    """Answers what a browser asks before a call, and marks the answers that a page of another origin may read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        origin = request.headers.get("Origin")
        if origin is None or not request.path.startswith(PATHS) or not is_on():
            return self.get_response(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return _preflight(request, origin)
        response = self.get_response(request)
        _allow(response, origin)
        patch_vary_headers(response, ["Origin"])
        return response


def is_on() -> bool:
    """Return whether any of the three options is set."""
    return any(_listed(name) for name in ("origins", "methods", "headers"))


def _preflight(request: HttpRequest, origin: str) -> HttpResponse:
    refused = [*_refused_methods(request, origin), *_refused_headers(request)]
    text = f"Disallowed CORS {', '.join(refused)}" if refused else "OK"
    response = HttpResponse(text, status=400 if refused else 200, content_type="text/plain; charset=utf-8")
    _allow(response, origin)
    patch_vary_headers(response, ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"])
    response["Access-Control-Allow-Methods"] = ", ".join(_methods())
    response["Access-Control-Max-Age"] = str(MAX_AGE_SECONDS)
    response["Access-Control-Allow-Headers"] = _headers_to_say(request)
    return response


def _allow(response: HttpResponseBase, origin: str) -> None:
    response["Access-Control-Allow-Credentials"] = "true"
    if origin in _listed("origins"):
        response["Access-Control-Allow-Origin"] = origin


def _refused_methods(request: HttpRequest, origin: str) -> list[str]:
    refused = [] if origin in _listed("origins") else ["origin"]
    return refused if request.headers["Access-Control-Request-Method"] in _methods() else [*refused, "method"]


def _refused_headers(request: HttpRequest) -> list[str]:
    asked = request.headers.get("Access-Control-Request-Headers")
    if asked is None or "*" in _listed("headers"):
        return []
    allowed = {name.lower() for name in _ALWAYS_ALLOWED | set(_listed("headers"))}
    return [] if all(name.strip().lower() in allowed for name in asked.split(",")) else ["headers"]


def _headers_to_say(request: HttpRequest) -> str:
    if "*" in _listed("headers"):
        return request.headers.get("Access-Control-Request-Headers", "")
    return ", ".join(sorted(_ALWAYS_ALLOWED | set(_listed("headers"))))


def _methods() -> list[str]:
    listed = _listed("methods")
    return list(_METHODS) if "*" in listed else listed


def _listed(name: str) -> list[str]:
    text = str(conf.get("api", f"access_control_allow_{name}") or "")
    return [part.strip() for part in text.split(",") if part.strip()]
