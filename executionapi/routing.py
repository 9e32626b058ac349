"""Decides which operation a method and a path mean, for single requests and for those of a batch alike."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Final

from executionapi.calls import Operation
from executionapi.replies import RefusalError, unknown_path

_MODULES: Final = (
    "starts",
    "finishes",
    "heartbeats",
    "attempts",
    "task_instances",
    "xcoms",
    "vault",
    "connection_tests",
    "dag_runs",
    "assets",
    "stores",
    "hitl",
    "callbacks",
    "health",
)
_PARAMETER: Final = re.compile(r"\{(\w+)(:path)?\}")

Route = tuple[re.Pattern[str], Operation]


def match(method: str, path: str, version: str) -> tuple[Operation, dict[str, str]]:
    """The operation and the arguments in the path (unquoted, relative to ``/execution/``).

    Raises RefusalError: 404 for a path that ``version`` does not know, 405 for a method that it does not have.
    """
    allowed = []
    for pattern, operation in _routes().get(path.partition("/")[0], ()):
        if not operation.since <= version < operation.until:
            continue
        if (found := pattern.fullmatch(path)) is None:
            continue
        if operation.method == method:
            return operation, found.groupdict()
        allowed.append(operation.method)
    if allowed:
        raise RefusalError(405, "Method Not Allowed", {"Allow": ", ".join(dict.fromkeys(allowed))})
    raise unknown_path()


def operations() -> Iterator[Operation]:
    """All operations of all versions."""
    for name in _MODULES:
        yield from import_module(f"executionapi.operations.{name}").OPERATIONS


@cache
def _routes() -> dict[str, list[Route]]:
    routes: dict[str, list[Route]] = defaultdict(list)
    for operation in operations():
        routes[operation.path.partition("/")[0]].append((_pattern(operation.path), operation))
    return routes


def _pattern(path: str) -> re.Pattern[str]:
    def group(found: re.Match[str]) -> str:
        return f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})"

    return re.compile(_PARAMETER.sub(group, path), re.DOTALL)
