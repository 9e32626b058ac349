"""Decides how the page tests write the log of a try, and go through all pages of a search of logs."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from runs.logs import log_file


def write_log(ti: Any, records: Iterable[Any]) -> Path:
    """Write records as JSON lines; a text stands for itself."""
    path = log_file(ti)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)) + "\n" for item in records))
    return path


def said(event: str, **fields: Any) -> dict[str, Any]:
    """A record as workers write it."""
    return {"timestamp": "2026-01-05T12:00:01.5Z", "level": "info", "event": event, "logger": "task", **fields}


def hits_of_all_pages(ask: Callable[[dict[str, str]], Any], between: Callable[[], object] = lambda: None) -> list[Any]:
    """The hits of a search page after page, with something that happens after the first one.

    Args:
        ask: gets what the address says about where to go on, and gives the answer of that page.
    """
    seen: list[Any] = []
    hits = ask({}).context["hits"]
    between()
    for _ in range(30):
        seen += hits.rows
        if not hits.next_place:
            return seen
        hits = ask({"from": hits.next_place}).context["hits"]
    raise AssertionError("The search does not come to an end")
