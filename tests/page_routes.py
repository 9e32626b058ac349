"""Decides which addresses the walks over all pages visit: every route of the pages, filled from the world of the role walk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

# What has walks of its own, or is not a page: the APIs, the admin, metrics.
OTHER_DOORS = ("api/", "ui/", "execution/", "admin/", "metrics", "openapi.json", "^api/", "auth/token", "auth/^token")
# The names in addresses of pages; those in the world are of the REST API.
OF_PAGES = {"run_id": "r", "group_id": "g", "mode": "json", "view_id": 999_999, "token_id": 999_999, "user_id": 999_999}


class Route:
    """A route: its name, the names in its address, and the address filled in."""

    def __init__(self, name: str, pattern: str, path: str) -> None:
        self.name, self.pattern, self.path = name, pattern, path
        self.of_dag = "dag_id" in pattern

    def __repr__(self) -> str:
        return f"{self.name}:{self.path}"


def page_routes(names: dict[str, Any]) -> list[Route]:
    """Return all pages. A name in an address that is not in ``names`` becomes one that nothing has."""
    known = {**names, **OF_PAGES}
    return [
        Route(pattern.name or "", text, "/" + _filled(text, pattern, known))
        for text, pattern in _patterns(get_resolver(), "")
        if not text.startswith(OTHER_DOORS)
    ]


def _patterns(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for item in resolver.url_patterns:
        text = prefix + str(item.pattern)
        if isinstance(item, URLResolver):
            yield from _patterns(item, text)
        else:
            yield text, item


def _filled(text: str, pattern: URLPattern, known: dict[str, Any]) -> str:
    assert isinstance(pattern.pattern, RoutePattern), f"a page's address is a path, not a pattern: {text}"
    for name, converter in pattern.pattern.converters.items():
        number = type(converter).__name__ == "IntConverter"
        value = max(0, int(known.get(name, 999_999))) if number else known.get(name, "nope")
        text = text.replace(_piece(text, name), str(value))
    return text


def _piece(text: str, name: str) -> str:
    end = text.index(f":{name}>") + len(name) + 2 if f":{name}>" in text else text.index(f"<{name}>") + len(name) + 2
    return text[text.rindex("<", 0, end) : end]
