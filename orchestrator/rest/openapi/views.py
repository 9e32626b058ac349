"""Decides how the API describes itself: the document, and a page to read and try it without the network."""

from __future__ import annotations

from functools import cache

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from orchestrator.config import conf
from orchestrator.rest.answers import encode


def openapi_json(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI document."""
    return HttpResponse(_document(), content_type="application/json")


def docs(request: HttpRequest) -> HttpResponse:
    """Return the page over the document, unless ``[api] enable_swagger_ui`` is off."""
    if not conf.get("api", "enable_swagger_ui"):
        raise Http404("[api] enable_swagger_ui is off")
    return render(request, "rest/docs.html")


@cache
def _document() -> bytes:
    from orchestrator.rest.openapi.document import document
    from orchestrator.rest.urls import MODULES

    return encode(document(module.operations for module in MODULES))
