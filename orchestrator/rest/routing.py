"""Decides which URL leads to which operation: fixed words before parameters, one view per path."""

import re
from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from orchestrator.rest.answers import json_response
from orchestrator.rest.operations import Operation, Operations
from orchestrator.rest.views import OperationView

_PARAMETER = re.compile(r"\{(\w+)(:path)?\}")


def url_patterns(modules: Iterable[Operations]) -> list[URLPattern]:
    """Return the patterns for all operations of the modules; a path that none has is answered by ``unknown_path``."""
    paths: dict[str, dict[str, Operation]] = {}
    for module in modules:
        for operation in module.items:
            paths.setdefault(operation.path, {})[operation.method] = operation
    ordered = sorted(paths, key=_specificity)
    patterns = [_pattern(path, paths[path]) for path in ordered]
    return [*patterns, re_path(r"^.*$", csrf_exempt(unknown_path))]


def unknown_path(request: HttpRequest) -> HttpResponse:
    """Answer 404 for a path that the API does not have."""
    return json_response({"error": "Route not found; the paths of this API are listed in the documentation"}, 404)


def _pattern(path: str, operations: dict[str, Operation]) -> URLPattern:
    view = OperationView.as_view(operations=operations)
    return re_path("^" + _expression(path.lstrip("/")) + "/?$", view, name=next(iter(operations.values())).operation_id)


def _expression(path: str) -> str:
    parts, end = [], 0
    for found in _PARAMETER.finditer(path):
        parts.append(re.escape(path[end : found.start()]))
        parts.append(f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})")
        end = found.end()
    return "".join(parts) + re.escape(path[end:])


def _specificity(path: str) -> list[tuple[int, str]]:
    return [(2 if ":path}" in part else 1 if part.startswith("{") else 0, part) for part in path.split("/")]
