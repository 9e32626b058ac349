"""Decides how the path of the page that is asked for stands in an address: a request has it without its escapes."""

from django.http import HttpRequest
from django.utils.encoding import escape_uri_path


def page_path(request: HttpRequest) -> str:
    """Return the path of a request, as a link to it or a form on it has it; templates know it as ``page_path``."""
    return escape_uri_path(request.path)
