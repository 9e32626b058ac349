"""Decides where a page leads after its form: back to where one came from, if that is a page of ours and is still there."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def way_back(request: HttpRequest, default: str, *, gone: str = "") -> str:
    """Return the address to go on with: ``next`` of the form or of the address, else the page that led here.

    Args:
        default: where none of these can be had.
        gone: a path that is no more after the form, with all below it.
    """
    for target in _asked(request):
        if not target.startswith("/") or not url_has_allowed_host_and_scheme(target, {request.get_host()}):
            continue
        path = urlsplit(target).path
        is_gone = bool(gone) and (path == gone or path.startswith(f"{gone}/"))
        if unquote(path) != request.path and not is_gone:
            return target
    return default


def _asked(request: HttpRequest) -> Iterator[str]:
    yield request.POST.get("next", "")
    yield request.GET.get("next", "")
    came_from = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(came_from, {request.get_host()}):
        parts = urlsplit(came_from)
        yield parts.path + (f"?{parts.query}" if parts.query else "")
